"""One step of an optimizer, from aggregated gradients to moved variables."""

import functools
import math

import keras
from keras import ops

from keras_clip import clipping
from keras_clip.compilation import jax_function
from keras_clip.monitor_variables import all_finite
from keras_clip.pairing import checked


class Stepping:
    """A mixin that runs a rule on an optimizer's variables.

    The gradients are those of the whole batch: reduced over replicas, averaged
    over micro-batches, divided by the loss scale, dense. A norm that is not
    finite makes NaN of all that it clips, which is how a rule knows to skip.
    """

    @property
    def nonfinite_scope(self) -> str:
        """What one NaN or infinite gradient stops.

        `"step"`, `"variable"` or `"coordinate"`: all that a number is shared by
        which the bad gradient spoils.
        """
        own = self._own_scope(self.rule)
        if self.global_clipnorm or own == "step":
            return "step"
        return "variable" if self.clipnorm else own

    def _own_scope(self, rule):
        """Returns what a bad gradient stops without Keras' own clipping."""
        threshold = self._threshold
        if rule.projection_radius or rule.shared:
            return "step"
        if threshold is None:
            return "coordinate"
        if rule.clipping == "global":
            return "step"
        by_norm = rule.clipping == "layer" or threshold.moves_with_norm
        return "variable" if by_norm else "coordinate"

    def _step(self, gradients, variables, learning_rate):
        """Moves the variables, their state and all that they share by a step.

        Args:
            gradients: List of dense tensors, one for each variable.
            variables: List of variables, all of them of this optimizer.
            learning_rate: Scalar tensor.
        """
        rule = self.rule
        scope = self._own_scope(rule)
        gradients = checked(self.gradients_argument, gradients, variables)
        gradients = [
            ops.cast(gradient, clipping.working_dtype_of(variable))
            for gradient, variable in zip(gradients, variables, strict=True)
        ]
        skips = self.nonfinite == "skip"
        whole = skips and self.nonfinite_scope == "step"
        norms = norm = None
        if self.nonfinite_scope != "coordinate" or self.monitor:
            norms = clipping.norms(gradients, self._shared_dtype)
            norm = clipping.total_norm(norms)
            self._note_norms(norms, norm, variables)
        if not self.clip_per_replica:
            unclipped = gradients
            gradients = self._clipped_as_by_keras(gradients, norms, norm)
            if gradients is not unclipped and scope != "coordinate":
                norms = clipping.norms(gradients, self._shared_dtype)
                norm = clipping.total_norm(norms)
        counts = ops.isfinite(norm) if whole else True

        numbers = self._own_numbers(variables)
        clips, moments, shares = self._clips(
            rule, norms, norm, numbers, variables
        )
        shared, state = self._advanced(rule, norm, clips, counts)
        self._update_variables(
            gradients,
            clips,
            self._number_of_each(numbers, variables),
            shared,
            variables,
            learning_rate,
        )
        if rule.projection_radius:
            self._project(rule.projection_radius, variables, counts)
        own_state = [*moments, *zip(self._shared, state, strict=True)]
        for variable, value in own_state:
            variable.assign(value)

        good = counts
        if skips and scope == "variable":
            good = ops.isfinite(norm)
        elif skips and not whole and self.monitor:
            good = all_finite(rule, gradients, clips)
        self._note_step(counts, good)
        self._note_missed(norms, variables, counts)
        if shares is None and self.monitor:
            shares = self._clipped_shares(rule, gradients, clips, variables)
        if shares is not None:
            self._note_shares(*shares, variables, counts)

    def _update_variables(
        self, gradients, clips, numbers, shared, variables, learning_rate
    ):
        """Moves each variable and its state.

        Args:
            gradients: List of tensors, in the working dtypes of the variables.
            clips: List of tuples of tensors, what clips each gradient.
            numbers: List of scalar tensors, the number of this update of each.
            shared: Tuple of scalar tensors, what the rule shares.
            variables: List of variables.
            learning_rate: Scalar tensor.
        """
        for gradient, clip, number, variable in zip(
            gradients, clips, numbers, variables, strict=True
        ):
            self._update_variable(
                gradient, clip, number, shared, variable, learning_rate
            )

    def _update_variable(
        self, gradient, clip, number, shared, variable, learning_rate
    ):
        index = self._index(variable)
        slots = self._slots[index]
        dtype = clipping.working_dtype_of(variable)
        decay = (self.weight_decay or 0.0) if self._decays[index] else 0.0
        update = functools.partial(self.rule, weight_decay=decay)
        if self.jit_compile and keras.backend.backend() == "jax":
            update = jax_function(self.rule, decay)
        x, state = update(
            ops.cast(self._value(variable), dtype),
            gradient,
            tuple(self._value(slot) for slot in slots),
            ops.cast(learning_rate, dtype),
            ops.cast(number, dtype),
            tuple(ops.cast(value, dtype) for value in clip),
            tuple(ops.cast(value, dtype) for value in shared),
        )
        for slot, value in zip(slots, state, strict=True):
            slot.assign(value)
        variable.assign(ops.cast(x, variable.dtype))

    def _clipped_as_by_keras(self, gradients, norms=None, norm=None):
        """Applies `clipnorm`, `clipvalue` and `global_clipnorm`.

        Args:
            gradients: List of tensors.
            norms: Tensor of their norms, taken here if `None`.
            norm: Scalar tensor, the norm of them all, likewise.
        """
        if self.global_clipnorm:
            if norm is None:
                norm = clipping.global_norm(gradients)
            threshold = self.global_clipnorm
            return [
                clipping.clip_by_norm(g, threshold, norm) for g in gradients
            ]
        if self.clipnorm:
            if norms is None:
                norms = clipping.norms(gradients)
            return [
                clipping.clip_by_norm(g, self.clipnorm, norm)
                for g, norm in zip(
                    gradients, ops.unstack(norms, len(gradients)), strict=True
                )
            ]
        if self.clipvalue:
            return [
                clipping.clip_by_value(g, self.clipvalue) for g in gradients
            ]
        return gradients

    def _clipped_on_replica(self, gradients, variables):
        """Clips the gradients of one replica, as `clip_per_replica` asks."""
        gradients = [
            ops.cast(gradient, clipping.working_dtype_of(gradient))
            for gradient in gradients
        ]
        gradients = self._clipped_as_by_keras(gradients)
        rule = self.rule
        if self._threshold is None:
            return gradients
        taus, _ = self._thresholds(None, None, variables)
        if rule.clipping == "coordinate":
            return [
                clipping.clip_by_value(g, ops.cast(tau, g.dtype))
                for g, tau in zip(gradients, taus, strict=True)
            ]
        norm = None
        if rule.clipping == "global":
            norm = clipping.global_norm(gradients)
        return [
            clipping.clip_by_norm(g, tau, norm)
            for g, tau in zip(gradients, taus, strict=True)
        ]

    def _clips(self, rule, norms, norm, numbers, variables):
        """Returns what clips each gradient, the new moments, what is clipped.

        Args:
            rule: The rule.
            norms: Tensor of the norm of each variable's gradient, or `None`.
            norm: Scalar tensor, the norm of them all, or `None`.
            numbers: See `_own_numbers`.
            variables: List of variables.

        Returns:
            Tuple of a list with an empty tuple or one of a tensor for each
            variable, of pairs of the threshold's variables and their values,
            and of the share that is clipped, of all and of each variable;
            `None` where there is none.
        """
        scope = self._own_scope(rule)
        taus, moments = [math.inf] * len(variables), []
        if self._threshold is not None and not self.clip_per_replica:
            measured = norm if rule.clipping == "global" else norms
            taus, moments = self._thresholds(measured, numbers, variables)
        elif scope == "coordinate":
            return [()] * len(variables), [], None
        if rule.clipping == "coordinate":
            if scope != "coordinate":
                spoiled = [norm] * len(taus) if scope == "step" else norms
                taus = [
                    ops.where(ops.isfinite(spoiled[i]), tau, math.nan)
                    for i, tau in enumerate(taus)
                ]
            return [(tau,) for tau in taus], moments, None
        if rule.clipping == "global":
            factor = clipping.clip_factor(norm, taus[0])
            share = ops.cast(factor < 1, "float32")
            shares = ops.broadcast_to(share, (len(taus),))
            return [(factor,)] * len(taus), moments, (share, shares)
        taus = ops.cast(ops.stack(taus), norms.dtype)
        factors = clipping.clip_factor(norms, taus)
        clips = [(factor,) for factor in ops.unstack(factors)]
        shares = ops.cast(factors < 1, "float32")
        return clips, moments, (ops.mean(shares), shares)

    def _advanced(self, rule, norm, clips, counts):
        """Returns what the rule shares between variables, and its new state."""
        if not rule.shared:
            return (), ()
        before = tuple(self._value(variable) for variable in self._shared)
        (factor,) = clips[0]
        shared, after = rule.advance(
            factor * norm,
            before,
            self._number_of_update(),
        )
        if counts is not True:
            after = [
                ops.where(counts, new, old)
                for new, old in zip(after, before, strict=True)
            ]
        return shared, after

    def _project(self, radius, variables, counts):
        """Projects all these variables together on the ball around 0."""
        dtypes = [clipping.working_dtype_of(variable) for variable in variables]
        values = [
            ops.cast(self._value(variable), dtype)
            for variable, dtype in zip(variables, dtypes, strict=True)
        ]
        factor = clipping.clip_factor(clipping.global_norm(values), radius)
        if counts is not True:
            factor = ops.where(counts, factor, 1.0)
        self._assign_all(
            variables,
            [
                ops.cast(x * ops.cast(factor, x.dtype), variable.dtype)
                for x, variable in zip(values, variables, strict=True)
            ],
        )

    def _undo_if_skipped(self, variables, step):
        """Takes a step, but leaves these variables if it is skipped whole.

        Keras applies constraints and moving averages after the update, and
        does not know of skipped steps.

        Args:
            variables: What Keras changes besides the rule.
            step: Callable without arguments.

        Returns:
            What `step` returns.
        """
        if not (variables and self.nonfinite_scope == "step"):
            return step()
        before = [ops.copy(self._value(variable)) for variable in variables]
        skipped_before = ops.copy(self._value(self.skipped_steps))
        result = step()
        skipped = ops.not_equal(self._value(self.skipped_steps), skipped_before)
        self._assign_all(
            variables,
            [
                ops.where(skipped, value, self._value(variable))
                for variable, value in zip(variables, before, strict=True)
            ],
        )
        return result
