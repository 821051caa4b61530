"""What an optimizer says of its last steps, kept in variables of it."""

import math

from keras import ops

from keras_clip import clipping
from keras_clip.rules.nonfinite import is_finite
from keras_clip.validation import check_choice


class MonitorVariables:
    """A mixin: norms, shares and counts that tell how a training goes.

    Of the last step, before any clipping: `gradient_norm`, and
    `gradient_norms` with an entry for each variable. Of the last update:
    `clip_fraction`, the share of the steps, variables or coordinates that it
    clipped, and `clip_fractions`, the share of each variable. An entry is 0
    where a variable had no gradient. `clip_total` is the sum of
    `clip_fraction` over all updates: two readings of it give the mean over any
    interval. `clip_total_error` is by how much its rounding has made it too
    large, so that nothing is lost however many updates there are.
    `skipped_steps` counts the steps with a bad gradient, and
    `skipped_in_a_row` those since the last good one.

    Attributes:
        was_monitored: Whether the last step, or the last that was traced, kept
            all of this up; `None` before the first.
        was_always_monitored: Whether all of them did.
        coordinate_count: How many coordinates all variables have together.
    """

    was_monitored = None
    was_always_monitored = True

    @property
    def monitor(self) -> bool:
        """Whether all of this is kept up even where that costs a pass.

        Set it at any time: it is for the steps that are traced from then on.
        """
        return self._monitor

    @monitor.setter
    def monitor(self, value):
        self._monitor = check_choice("monitor", value, (False, True))

    @property
    def is_monitored(self) -> bool:
        """Whether all of this is kept up: always with `monitor=True`.

        Without it, where what a step computes anyway tells all of it.
        """
        rule = self.rule
        by_factor = rule.clipping in ("global", "layer")
        return self.monitor or (
            by_factor and self._own_scope(rule) != "coordinate"
        )

    def _build_monitor(self, variables):
        """Creates the variables, whether they will be kept up or not."""
        self.coordinate_count = sum(math.prod(v.shape) for v in variables)
        zeros = [0.0] * len(variables)
        self.gradient_norm = self._add_shared("gradient_norm", 0.0, "float32")
        self.gradient_norms = self._add_shared(
            "gradient_norms", zeros, "float32"
        )
        self.clip_fraction = self._add_shared("clip_fraction", 0.0, "float32")
        self.clip_fractions = self._add_shared(
            "clip_fractions", zeros, "float32"
        )
        self.clip_total = self._add_shared("clip_total", 0.0, "float32")
        self.skipped_steps = self._add_shared("skipped_steps", 0, "int")
        self.skipped_in_a_row = self._add_shared("skipped_in_a_row", 0, "int")

    def _note_norms(self, norms, norm, variables):
        """Keeps the norms of this step.

        Args:
            norms: Tensor of the norm of each variable's gradient.
            norm: Scalar tensor, the norm of them all.
            variables: List of the variables of this step.
        """
        self.gradient_norm.assign(ops.cast(norm, "float32"))
        self.gradient_norms.assign(self._entries(norms, variables))

    def _note_shares(self, share, shares, variables, counts):
        """Keeps what this step clipped.

        Args:
            share: Scalar float32 tensor.
            shares: Tensor of the share of each variable.
            variables: List of the variables of this step.
            counts: Whether this is an update: `True` or a boolean tensor.
        """
        self.clip_fraction.assign(share)
        self.clip_fractions.assign(self._entries(shares, variables))
        if counts is not True:
            share = ops.where(counts, share, 0.0)
        # Kahan's summation.
        total = self._value(self.clip_total)
        share = share - self._value(self.clip_total_error)
        self.clip_total.assign(total + share)
        self.clip_total_error.assign((total + share) - total - share)

    def _note_step(self, counts, good):
        """Counts an update if `counts`, and a skipped step if not `good`."""
        self.was_monitored = self.is_monitored
        self.was_always_monitored &= self.is_monitored
        self.update_count.assign_add(ops.cast(counts, self.update_count.dtype))
        if good is not True:
            skipped = ops.cast(ops.logical_not(good), self.skipped_steps.dtype)
            self.skipped_steps.assign_add(skipped)
            row = self._value(self.skipped_in_a_row)
            self.skipped_in_a_row.assign(skipped * (row + 1))

    def _entries(self, values, variables):
        """Returns a vector of all variables from the values of some."""
        values = ops.cast(values, "float32")
        indices = [self._index(variable) for variable in variables]
        size = len(self._slots)
        if indices == list(range(size)):
            return values
        where = [[index] for index in indices]
        return ops.scatter_update(ops.zeros((size,), "float32"), where, values)

    def _clipped_shares(self, rule, gradients, clips, variables):
        """Returns the share of coordinates clipped: of all, and of each."""
        counts, sizes = [], []
        # Those after this update, which is counted by now.
        numbers = [
            number - 1
            for number in self._number_of_each(
                self._own_numbers(variables), variables
            )
        ]
        for gradient, clip, number, variable in zip(
            gradients, clips, numbers, variables, strict=True
        ):
            slots = self._slots[self._index(variable)]
            dtype = clipping.working_dtype_of(variable)
            where = rule.clipped(
                gradient,
                tuple(ops.cast(value, dtype) for value in clip),
                tuple(self._value(slot) for slot in slots),
                ops.cast(number, dtype),
            )
            counts.append(ops.sum(ops.cast(where, "float32")))
            sizes.append(math.prod(variable.shape))
        shares = [
            count / max(size, 1)
            for count, size in zip(counts, sizes, strict=True)
        ]
        return sum(counts) / max(sum(sizes), 1), ops.stack(shares)


def all_finite(rule, gradients, clips):
    """Returns whether no coordinate of the clipped gradients is bad.

    Args:
        rule: The rule.
        gradients: List of tensors.
        clips: List of tuples of tensors, what clips each gradient.
    """
    finite = [
        ops.all(
            is_finite(rule.clip(g, tuple(ops.cast(c, g.dtype) for c in clip)))
        )
        for g, clip in zip(gradients, clips, strict=True)
    ]
    return ops.all(ops.stack(finite))
