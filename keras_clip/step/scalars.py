"""Defines the numbers that an optimizer stores, in their saved order."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from keras_clip.clipping import Tensor
from keras_clip.step.part import Part
from keras_clip.step.settings import Settings
from keras_clip.thresholds.fitting import scales_of


class Start(NamedTuple):
    """Stores the initial value of one of the numbers.

    Attributes:
        name: Name of its variable.
        value: A number, or a list or array of numbers.
        dtype: A dtype; `"int"` for the framework's integer dtype.
    """

    name: str
    value: object
    dtype: str


class Scalars(NamedTuple):
    """Stores the monitoring counters and the other numbers of an optimizer.

    Each is a scalar, a vector with an entry for each variable, a tuple of
    these or, if the settings do not need it, `None`. The fields may also hold
    the optimizer's variables, which are saved in this order, with the slots
    before `clip_total_error`. Older files end before that field; it and the
    fields after it are zero for them.

    Attributes:
        update_count: Number of updates, without entirely skipped steps.
        gradient_norm: Norm of the last step's gradient, before any clipping.
        gradient_norms: Norm of each variable's gradient, 0 if it had none.
        clip_fraction: Share of the steps, variables or coordinates that the
            last update clipped.
        clip_fractions: Clipped share of each variable in the last update.
        clip_total: Sum of `clip_fraction` over all updates: two readings of it
            give the mean over any interval.
        skipped_steps: Number of steps with a gradient that is not finite.
        skipped_in_a_row: Number of them since the last step without one.
        threshold_scales: Scale of the threshold, or one array per variable.
        threshold_parameters: The threshold's other numbers.
        threshold_moment: Moment of the norms that the threshold follows.
        threshold_moment_before: That moment before the last update.
        shared: Numbers of the rule that all variables share.
        clip_total_error: Rounding error of `clip_total`, subtracted from the
            next share as in Kahan summation.
        missed_updates: Number of updates in which each variable had no gradient
            or was skipped. Updates that were missed are counted, not those that
            were made: the zeros for older files are then right for variables
            that were always updated.
    """

    FIRST_LATER = "clip_total_error"

    update_count: Tensor
    gradient_norm: Tensor
    gradient_norms: Tensor
    clip_fraction: Tensor
    clip_fractions: Tensor
    clip_total: Tensor
    skipped_steps: Tensor
    skipped_in_a_row: Tensor
    threshold_scales: tuple[Tensor, ...]
    threshold_parameters: tuple[Tensor, ...]
    threshold_moment: Tensor | None
    threshold_moment_before: Tensor | None
    shared: tuple[Tensor, ...]
    clip_total_error: Tensor
    missed_updates: Tensor | None

    @property
    def later(self) -> list:
        """Returns the numbers that older files do not have."""
        later = (self.clip_total_error, self.missed_updates)
        return [number for number in later if number is not None]


def starts(settings: Settings, part: Part) -> Scalars:
    """Returns the initial values of an optimizer's numbers.

    Args:
        settings: The optimizer's settings.
        part: All of its variables.

    Returns:
        `Scalars` of `Start`s.
    """
    threshold = settings.clip_threshold
    scales = parameters = ()
    moment = before = missed = None
    dtype, zeros = part.dtype, [0.0] * part.count
    if threshold is not None:
        scales, parameters = scales_of(threshold), threshold.parameters
        moments = 0.0 if settings.clipping == "global" else zeros
        if threshold.moves_with_norm:
            moment = Start("threshold_moment", moments, dtype)
            if threshold.of == "clipped":
                before = Start("threshold_moment_before", moments, dtype)
    if settings.counts_variables:
        missed = Start("missed_updates", [0] * part.count, "int")
    return Scalars(
        update_count=Start("update_count", 0, "int"),
        gradient_norm=Start("gradient_norm", 0.0, "float32"),
        gradient_norms=Start("gradient_norms", zeros, "float32"),
        clip_fraction=Start("clip_fraction", 0.0, "float32"),
        clip_fractions=Start("clip_fractions", zeros, "float32"),
        clip_total=Start("clip_total", 0.0, "float32"),
        skipped_steps=Start("skipped_steps", 0, "int"),
        skipped_in_a_row=Start("skipped_in_a_row", 0, "int"),
        threshold_scales=tuple(
            Start("threshold_scale", scale, dtype) for scale in scales
        ),
        threshold_parameters=tuple(
            Start("threshold_parameter", value, dtype) for value in parameters
        ),
        threshold_moment=moment,
        threshold_moment_before=before,
        shared=tuple(
            Start(name, value, dtype)
            for name, value in settings.rule.shared.items()
        ),
        clip_total_error=Start("clip_total_error", 0.0, "float32"),
        missed_updates=missed,
    )


def layout_of(settings: Settings, part: Part) -> tuple:
    """Returns the names and shapes of all state, for the arguments of `starts`.

    They compare by `==`.
    """

    def described(start):
        return start.name, np.shape(start.value)

    return tuple(settings.rule.slots), each(described, starts(settings, part))


def each(function: Callable, *scalars: Scalars) -> Scalars:
    """Applies a function to each number and returns the results.

    Args:
        function: Callable of one number of each of `scalars`.
        *scalars: `Scalars` of the same settings.
    """

    def of(*values):
        if values[0] is None:
            return None
        if type(values[0]) is tuple:
            return tuple(map(function, *values))
        return function(*values)

    return Scalars(*map(of, *scalars))


def assign(variables: Scalars, before: Scalars, after: Scalars) -> None:
    """Assigns to variables the tensors that are not those of `before`."""

    def assign_one(variable, old, new):
        if new is not old:
            variable.assign(new)

    each(assign_one, variables, before, after)
