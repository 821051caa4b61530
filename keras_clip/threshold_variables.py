"""The clipping threshold of an optimizer, kept in variables of it."""

import math

import numpy as np
from keras import ops

from keras_clip import thresholds
from keras_clip.thresholds.fitting import check_arrays
from keras_clip.thresholds.fitting import check_numbers
from keras_clip.thresholds.fitting import differ_in_numbers_alone
from keras_clip.thresholds.fitting import scales_of


class ThresholdVariables:
    """A mixin: a threshold that can change between steps without a retrace.

    Variables hold the threshold's numbers: `threshold_scale`, or one
    `threshold_scale` for each variable where it is arrays, then
    `threshold_parameters` and `threshold_moment` where it has any. Of a
    threshold that is of the moment before an update, `threshold_moment_before`
    is that.
    """

    _threshold = None
    _threshold_moment = None
    _threshold_moment_before = None

    @property
    def clip_threshold(self):
        """The threshold as of now: a float, arrays, a schedule or `None`.

        Set it between steps to change it, to one of the same kind; nothing is
        compiled anew.
        """
        self._check_rule_clips()
        current = self._current_threshold()
        if isinstance(current, thresholds.ConstantThreshold):
            scale = current.scale
            return scale if isinstance(scale, float) else list(scale)
        return current

    @clip_threshold.setter
    def clip_threshold(self, value):
        self._check_rule_clips()
        # tf_keras wraps the lists that its attributes are set to.
        value = list(value) if isinstance(value, list) else value
        if not self._has_state():
            self._set_threshold(value)
            return
        threshold = self._checked_threshold(value)
        if not differ_in_numbers_alone(threshold, self._threshold):
            raise ValueError(
                "`clip_threshold` must be of the kind that the optimizer was "
                f"built with, as {thresholds.serialize(self._threshold)}: only "
                "its scale and `parameters` can be set, for others make a new "
                f"optimizer. Received: clip_threshold={value!r}"
            )
        if threshold is None:
            return
        check_numbers(threshold, self._shared_dtype)
        if self._threshold_moment is not None:
            self._convert_moments(self._current_threshold(), threshold)
        for variable, number in zip(
            self._threshold_scales, scales_of(threshold), strict=True
        ):
            variable.assign(number)
        for variable, number in zip(
            self._threshold_parameters, threshold.parameters, strict=True
        ):
            variable.assign(number)

    @property
    def last_threshold(self) -> float | None:
        """The number that the last update clipped at, NaN before the first.

        `None` where it is not one number: where nothing is clipped, or every
        variable or coordinate at its own.
        """
        threshold, moment = self._threshold, self._threshold_moment
        if self._threshold_moment_before is not None:
            moment = self._threshold_moment_before
        if threshold is None or isinstance(threshold.scale, tuple):
            return None
        if threshold.moves_with_norm and self.rule.clipping != "global":
            return None
        if not self._has_state() or not int(self._value(self.update_count)):
            return math.nan
        (scale,) = (self._value(v) for v in self._threshold_scales)
        unit = threshold.unit(
            ops.cast(self._value(self.update_count), scale.dtype),
            tuple(self._value(v) for v in self._threshold_parameters),
            None if moment is None else self._value(moment),
        )
        return float(scale * unit)

    def _check_rule_clips(self):
        if self.rule.clipping is None:
            raise AttributeError(
                f"{type(self).__name__} has no `clip_threshold`"
            )

    def _set_threshold(self, value):
        self._threshold = self._checked_threshold(value)

    def _checked_threshold(self, value):
        """Returns the threshold after checking that this optimizer takes it."""
        threshold = thresholds.get(value)
        if threshold is None:
            return None
        if not differ_in_numbers_alone(threshold, threshold):
            raise ValueError(
                "`clip_threshold` must be what its `with_numbers(scale, "
                "parameters)` returns: override that where its constructor "
                f"takes more. Received: clip_threshold={value!r}"
            )
        if isinstance(threshold.scale, tuple):
            if self.rule.clipping != "coordinate":
                raise ValueError(
                    "`clip_threshold` must be one number but for clipping by "
                    f"coordinate. Received: clip_threshold={value!r}"
                )
            if threshold.of == "clipped":
                raise ValueError(
                    "`clip_threshold` must be one number where it follows the "
                    f"clipped norm. Received: clip_threshold={value!r}"
                )
        if threshold.moves_with_norm and self.clip_per_replica:
            raise ValueError(
                "`clip_threshold` must not follow the norm with "
                "`clip_per_replica`: the replicas' norms differ. "
                f"Received: clip_threshold={value!r}"
            )
        return threshold

    def _threshold_config(self):
        if self.rule.clipping is None:
            return {}
        current = self._current_threshold()
        return {"clip_threshold": thresholds.serialize(current)}

    def _current_threshold(self):
        """Returns the threshold with the numbers that the variables hold."""
        threshold = self._threshold
        if threshold is None or not self._has_state():
            return threshold
        scales = [
            np.asarray(self._value(v), "float64")
            for v in self._threshold_scales
        ]
        if isinstance(threshold.scale, float):
            scale = float(scales[0])
        else:
            scale = tuple(scales)
        parameters = [float(self._value(v)) for v in self._threshold_parameters]
        return threshold.with_numbers(scale, parameters)

    def _check_threshold_fits(self, variables):
        """Raises if there is not one array for each variable.

        Of a model in an HDF5 file Keras builds the optimizer on no variables at
        all (keras/src/legacy/saving/legacy_h5_format.py, 3.15.1).
        """
        threshold = self._threshold
        if threshold is None or not variables:
            return
        check_arrays(threshold, variables)

    def _convert_moments(self, before, threshold):
        """Makes what is known of the norms a moment of other parameters."""
        held = np.asarray(threshold.parameters, self._shared_dtype)
        if held.tolist() == list(before.parameters):
            return
        count = np.asarray(self._value(self.update_count))
        if self.missed_updates is not None and self.rule.clipping != "global":
            count = count - np.asarray(self._value(self.missed_updates))
        for variable in (
            self._threshold_moment,
            self._threshold_moment_before,
        ):
            if variable is not None:
                moment = np.asarray(self._value(variable), "float64")
                variable.assign(threshold.moment_like(before, count, moment))

    def _build_threshold(self, variables):
        """Creates the variables of the threshold."""
        self._threshold_scales = []
        self._threshold_parameters = []
        self._threshold_moment = self._threshold_moment_before = None
        threshold = self._threshold
        if threshold is None:
            return
        check_numbers(threshold, self._shared_dtype)
        dtype = self._shared_dtype
        self._threshold_scales = [
            self._add_shared("threshold_scale", scale, dtype)
            for scale in scales_of(threshold)
        ]
        self._threshold_parameters = [
            self._add_shared("threshold_parameter", value, dtype)
            for value in threshold.parameters
        ]
        if threshold.moves_with_norm:
            one = self.rule.clipping == "global"
            zeros = 0.0 if one else [0.0] * len(variables)
            self._threshold_moment = self._add_shared(
                "threshold_moment", zeros, dtype
            )
            if threshold.of == "clipped":
                self._threshold_moment_before = self._add_shared(
                    "threshold_moment_before", zeros, dtype
                )

    def _thresholds(self, norms, numbers, variables):
        """Returns the thresholds of this step, and the moment after it.

        Args:
            norms: Tensor, the norm of the gradient or, if it is not clipped as
                a whole, of each variable's; `None` if none is needed.
            numbers: Tensor, the number of this update of each variable, where
                the moment is that of each; else it may be `None`.
            variables: List of the variables of this step.

        Returns:
            Tuple of a list with a tensor for each variable, and of a list of
            pairs of variables of the threshold and what they are after it.
        """
        threshold = self._threshold
        indices = [self._index(variable) for variable in variables]
        parameters = tuple(self._value(v) for v in self._threshold_parameters)
        scales = [self._value(v) for v in self._threshold_scales]
        k = ops.cast(self._number_of_update(), scales[0].dtype)
        if self._threshold_moment is None:
            unit, after = threshold.unit(k, parameters, None), []
        else:
            unit, after = self._unit_of_norms(
                k, numbers, parameters, norms, indices
            )
        one_scale = not isinstance(threshold.scale, tuple)
        if one_scale:
            unit = scales[0] * unit
        by_variable = len(getattr(unit, "shape", ())) == 1
        taus = ops.unstack(unit) if by_variable else [unit] * len(indices)
        if not one_scale:
            taus = [
                scales[index] * tau
                for index, tau in zip(indices, taus, strict=True)
            ]
        return taus, after

    def _unit_of_norms(self, k, numbers, parameters, norms, indices):
        """Returns the unit of a threshold that follows norms, and its moments.

        Args:
            k: Scalar tensor, the number of this update.
            numbers: See `_thresholds`.
            parameters: Tuple of scalar tensors.
            norms: See `_thresholds`.
            indices: List of the indices of the variables of this step.

        Returns:
            Tuple of a tensor, and of the pairs that `_thresholds` returns.
        """
        threshold = self._threshold
        whole = self._value(self._threshold_moment)
        some = len(whole.shape) == 1
        before = ops.take(whole, indices) if some else whole
        own = ops.cast(numbers, k.dtype) if some else k

        def unit_of(moment):
            unit = threshold.unit(k, parameters, moment)
            if not some:
                return unit
            # TensorFlow's functions of a vector round otherwise than those of
            # a scalar (2.20.0, CPU): who was always updated has those.
            of_own = threshold.unit(own, parameters, moment)
            return ops.where(ops.equal(own, k), unit, of_own)

        followed, last = norms, None
        if threshold.of == "clipped":
            unit = unit_of(before)
            last = self._value(self._threshold_moment_before)
            followed = ops.minimum(
                norms, self._value(self._threshold_scales[0]) * unit
            )
        after = threshold.moment_after(own, parameters, followed, before)
        if threshold.of == "raw":
            unit = unit_of(after)

        def kept(new, old):
            """Returns new values where the norm is good, in their places."""
            if self.nonfinite == "skip":
                of_these = ops.take(old, indices) if some else old
                new = ops.where(ops.isfinite(norms), new, of_these)
            if not some:
                return new
            return ops.scatter_update(old, [[index] for index in indices], new)

        pairs = [(self._threshold_moment, kept(after, whole))]
        if last is not None:
            pairs.append((self._threshold_moment_before, kept(before, last)))
        return unit, pairs
