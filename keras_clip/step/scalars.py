"""The numbers that an optimizer keeps besides slots, in their saved order."""

from collections.abc import Callable
from typing import NamedTuple

from keras_clip.step.part import Part
from keras_clip.step.settings import Settings
from keras_clip.thresholds.fitting import scales_of


class Start(NamedTuple):
    """How one of the numbers begins.

    Attributes:
        name: What its variable is called.
        value: A number, or a list or array of numbers.
        dtype: A dtype; `"int"` for the framework's own.
    """

    name: str
    value: object
    dtype: str


class Scalars(NamedTuple):
    """The numbers that an optimizer keeps, or what holds them.

    Each is a scalar, a vector with an entry for each variable, a tuple of such
    or, where the settings need none, `None`. The optimizer's variables are
    these, in this order, with the slots before `clip_total_error`: it and what
    follows are later than the first files, for which they are zero.

    Attributes:
        update_count: The updates, without steps that were skipped whole.
        gradient_norm: Norm of the last step's gradient, before any clipping.
        gradient_norms: The norm of each variable's, 0 where it had none.
        clip_fraction: Share of the steps, variables or coordinates that the
            last update clipped.
        clip_fractions: The share of each variable, likewise.
        clip_total: Sum of `clip_fraction` over all updates: two readings of it
            give the mean over any interval.
        skipped_steps: The steps with a bad gradient.
        skipped_in_a_row: Those since the last good one.
        threshold_scales: Scale of the threshold, or one array a variable.
        threshold_parameters: The threshold's other numbers.
        threshold_moment: Moment of the norms that the threshold follows.
        threshold_moment_before: The one before the last update.
        shared: What the rule shares between all variables.
        clip_total_error: By how much rounding has made `clip_total` too large,
            so that nothing is lost however many updates there are.
        missed_updates: In how many updates each variable was not given or was
            skipped whole. What a variable has missed is kept, not what it was
            given: files from before there was such a count have nothing of it,
            which is right for variables that were always updated.
    """

    FIRST_LATER = "clip_total_error"

    update_count: object
    gradient_norm: object
    gradient_norms: object
    clip_fraction: object
    clip_fractions: object
    clip_total: object
    skipped_steps: object
    skipped_in_a_row: object
    threshold_scales: tuple
    threshold_parameters: tuple
    threshold_moment: object | None
    threshold_moment_before: object | None
    shared: tuple
    clip_total_error: object
    missed_updates: object | None

    @property
    def later(self) -> list:
        """Those that the first files do not have."""
        later = (self.clip_total_error, self.missed_updates)
        return [number for number in later if number is not None]


def starts(settings: Settings, part: Part) -> Scalars:
    """Returns how the numbers of an optimizer begin.

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


def each(function: Callable, *scalars: Scalars) -> Scalars:
    """Returns what a function makes of each number.

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
    """Assigns to variables what has changed.

    Args:
        variables: `Scalars` of variables.
        before: `Scalars` of the tensors that they held.
        after: `Scalars` of tensors, some of them those of `before`.
    """

    def assign_one(variable, old, new):
        if new is not old:
            variable.assign(new)

    each(assign_one, variables, before, after)
