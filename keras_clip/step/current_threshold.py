"""Computes the clipping threshold of a step from the optimizer's scalars."""

import math

import numpy as np
from keras import ops

from keras_clip.clipping import Tensor
from keras_clip.step.part import Part
from keras_clip.step.scalars import Scalars
from keras_clip.step.settings import Settings
from keras_clip.thresholds.threshold import Threshold


def taus_of(
    settings: Settings,
    scalars: Scalars,
    norms: Tensor | None,
    numbers: Tensor | None,
    part: Part,
) -> tuple[list[Tensor], Scalars]:
    """Returns the thresholds of this step, and the scalars with its moments.

    Args:
        settings: The settings, of an optimizer that clips.
        scalars: The scalars before the step.
        norms: The global norm with global clipping, else the norm of each
            variable's gradient; `None` if neither is needed.
        numbers: The number of this update for each variable; may be `None` if
            no moment is stored for each variable.
        part: The part of the optimizer's variables that the step moves.

    Returns:
        Tuple of a list with a threshold for each variable, and of scalars.
    """
    threshold = settings.clip_threshold
    scales = scalars.threshold_scales
    k = ops.cast(scalars.update_count + 1, scales[0].dtype)
    if threshold.moves_with_norm:
        growth, scalars = _growth_by_norms(
            settings, scalars, k, norms, numbers, part
        )
    else:
        growth = threshold.unit(k, scalars.threshold_parameters, None)
    one_scale = not isinstance(threshold.scale, tuple)
    tau = scales[0] * growth if one_scale else growth
    by_variable = len(getattr(tau, "shape", ())) == 1
    count = len(part.positions)
    taus = ops.unstack(tau, count) if by_variable else [tau] * count
    if not one_scale:
        taus = [
            scales[position] * tau
            for position, tau in zip(part.positions, taus, strict=True)
        ]
    return taus, scalars


def threshold_of(settings: Settings, scalars: Scalars) -> Threshold | None:
    """Returns the threshold with the numbers in the scalars.

    Args:
        settings: The settings.
        scalars: The scalars.
    """
    threshold = settings.clip_threshold
    if threshold is None:
        return None
    scales = [np.asarray(s, "float64") for s in scalars.threshold_scales]
    scale = tuple(scales)
    if isinstance(threshold.scale, float):
        scale = float(scales[0])
    parameters = [float(value) for value in scalars.threshold_parameters]
    return threshold.with_numbers(scale, parameters)


def last_threshold_of(settings: Settings, scalars: Scalars) -> float | None:
    """Returns the threshold of the last update.

    Args:
        settings: The settings.
        scalars: The scalars after that update.

    Returns:
        Float, NaN before the first update. `None` if it is not one number:
        nothing is clipped, or variables or coordinates have different
        thresholds.
    """
    if not clips_at_one_number(settings):
        return None
    if not int(scalars.update_count):
        return math.nan
    moment = scalars.threshold_moment
    if scalars.threshold_moment_before is not None:
        moment = scalars.threshold_moment_before
    (scale,) = scalars.threshold_scales
    growth = settings.clip_threshold.unit(
        ops.cast(scalars.update_count, scale.dtype),
        scalars.threshold_parameters,
        moment,
    )
    return float(scale * growth)


def clips_at_one_number(settings: Settings) -> bool:
    """Returns whether all variables have the same threshold, one number.

    Args:
        settings: The settings.
    """
    threshold = settings.clip_threshold
    if threshold is None or isinstance(threshold.scale, tuple):
        return False
    return not threshold.moves_with_norm or settings.clipping == "global"


def moments_like(
    settings: Settings, scalars: Scalars, threshold: Threshold, dtype: str
) -> Scalars:
    """Returns the scalars with moments converted to a new threshold.

    Args:
        settings: The settings.
        scalars: The scalars, with the numbers of the old threshold.
        threshold: The new threshold.
        dtype: The dtype in which its numbers are stored.
    """
    before = threshold_of(settings, scalars)
    rounded = np.asarray(threshold.parameters, dtype)
    if rounded.tolist() == list(before.parameters):
        return scalars
    count = np.asarray(scalars.update_count)
    if scalars.missed_updates is not None and settings.clipping != "global":
        count = count - np.asarray(scalars.missed_updates)

    def converted(moment):
        if moment is None:
            return None
        return threshold.moment_like(
            before, count, np.asarray(moment, "float64")
        )

    return scalars._replace(
        threshold_moment=converted(scalars.threshold_moment),
        threshold_moment_before=converted(scalars.threshold_moment_before),
    )


def _growth_by_norms(settings, scalars, k, norms, numbers, part):
    """Returns the growth of a threshold that follows norms, and the scalars.

    Args:
        settings: The settings.
        scalars: The scalars before the step.
        k: Number of this update, a scalar.
        norms: See `taus_of`.
        numbers: See `taus_of`.
        part: See `taus_of`.
    """
    threshold = settings.clip_threshold
    parameters = scalars.threshold_parameters
    moment = scalars.threshold_moment
    by_variable = settings.clipping != "global"
    before = part.entries(moment) if by_variable else moment
    numbers = ops.cast(numbers, k.dtype) if by_variable else k

    def growth_by(moment):
        growth = threshold.unit(k, parameters, moment)
        if not by_variable:
            return growth
        # Functions of a vector round differently from those of a scalar on
        # TensorFlow (2.20.0, CPU). Variables without a missed update use the
        # scalar.
        growths = threshold.unit(numbers, parameters, moment)
        return ops.where(ops.equal(numbers, k), growth, growths)

    def updated(new, old):
        """Returns old values, replaced by new ones where norms are finite."""
        if settings.skips:
            old_entries = part.entries(old) if by_variable else old
            new = ops.where(ops.isfinite(norms), new, old_entries)
        return part.put(new, old) if by_variable else new

    if threshold.of == "clipped":
        growth = growth_by(before)
        clipped = ops.minimum(norms, scalars.threshold_scales[0] * growth)
        after = threshold.moment_after(numbers, parameters, clipped, before)
        return growth, scalars._replace(
            threshold_moment=updated(after, moment),
            threshold_moment_before=updated(
                before, scalars.threshold_moment_before
            ),
        )
    after = threshold.moment_after(numbers, parameters, norms, before)
    return growth_by(after), scalars._replace(
        threshold_moment=updated(after, moment)
    )
