"""The clipping threshold of a step, from the numbers that are kept of it."""

import math

import numpy as np
from keras import ops

from keras_clip.step.part import Part
from keras_clip.step.scalars import Scalars
from keras_clip.step.settings import Settings
from keras_clip.thresholds.threshold import Threshold


def taus_of(
    settings: Settings, scalars: Scalars, norms, numbers, part: Part
) -> tuple[list, Scalars]:
    """Returns the thresholds of this step, and the scalars with its moments.

    Args:
        settings: The settings, of an optimizer that clips.
        scalars: The scalars before the step.
        norms: Tensor, the norm of the gradient or, if it is not clipped as a
            whole, of each variable's; `None` if none is needed.
        numbers: Tensor, the number of this update of each variable, where the
            moment is that of each; else it may be `None`.
        part: Which variables the step is given.

    Returns:
        Tuple of a list with a tensor for each variable, and of scalars.
    """
    threshold = settings.clip_threshold
    scales = scalars.threshold_scales
    k = ops.cast(scalars.update_count + 1, scales[0].dtype)
    if threshold.moves_with_norm:
        unit, scalars = _unit_of_norms(
            settings, scalars, k, norms, numbers, part
        )
    else:
        unit = threshold.unit(k, scalars.threshold_parameters, None)
    one_scale = not isinstance(threshold.scale, tuple)
    if one_scale:
        unit = scales[0] * unit
    by_variable = len(getattr(unit, "shape", ())) == 1
    count = len(part.positions)
    taus = ops.unstack(unit, count) if by_variable else [unit] * count
    if not one_scale:
        taus = [
            scales[position] * tau
            for position, tau in zip(part.positions, taus, strict=True)
        ]
    return taus, scalars


def threshold_of(settings: Settings, scalars: Scalars) -> Threshold | None:
    """Returns the threshold with the numbers that scalars hold.

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
    """Returns the number that the last update clipped at.

    Args:
        settings: The settings.
        scalars: The scalars after that update.

    Returns:
        Float, NaN before the first update. `None` where it is not one number:
        where nothing is clipped, or every variable or coordinate at its own.
    """
    if not clips_at_one_number(settings):
        return None
    if not int(scalars.update_count):
        return math.nan
    moment = scalars.threshold_moment
    if scalars.threshold_moment_before is not None:
        moment = scalars.threshold_moment_before
    (scale,) = scalars.threshold_scales
    unit = settings.clip_threshold.unit(
        ops.cast(scalars.update_count, scale.dtype),
        scalars.threshold_parameters,
        moment,
    )
    return float(scale * unit)


def clips_at_one_number(settings: Settings) -> bool:
    """Returns whether all variables are clipped at one number.

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
    """Returns scalars whose moments are of the parameters of a threshold.

    Args:
        settings: The settings.
        scalars: The scalars, with the threshold's numbers before.
        threshold: The threshold that follows.
        dtype: The dtype that its numbers are kept in.
    """
    before = threshold_of(settings, scalars)
    held = np.asarray(threshold.parameters, dtype)
    if held.tolist() == list(before.parameters):
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


def _unit_of_norms(settings, scalars, k, norms, numbers, part):
    """Returns the unit of a threshold that follows norms, and the scalars.

    Args:
        settings: The settings.
        scalars: The scalars before the step.
        k: Scalar tensor, the number of this update.
        norms: See `taus_of`.
        numbers: See `taus_of`.
        part: Which variables the step is given.
    """
    threshold = settings.clip_threshold
    parameters = scalars.threshold_parameters
    moment = scalars.threshold_moment
    by_variable = settings.clipping != "global"
    before = part.entries(moment) if by_variable else moment
    own = ops.cast(numbers, k.dtype) if by_variable else k

    def unit_of(moment):
        unit = threshold.unit(k, parameters, moment)
        if not by_variable:
            return unit
        # TensorFlow's functions of a vector round otherwise than those of a
        # scalar (2.20.0, CPU): who was always updated has those.
        of_own = threshold.unit(own, parameters, moment)
        return ops.where(ops.equal(own, k), unit, of_own)

    def kept(new, old):
        """Returns new values where the norm is good, in their places."""
        if settings.skips:
            of_these = part.entries(old) if by_variable else old
            new = ops.where(ops.isfinite(norms), new, of_these)
        return part.put(new, old) if by_variable else new

    if threshold.of == "clipped":
        unit = unit_of(before)
        clipped = ops.minimum(norms, scalars.threshold_scales[0] * unit)
        after = threshold.moment_after(own, parameters, clipped, before)
        return unit, scalars._replace(
            threshold_moment=kept(after, moment),
            threshold_moment_before=kept(
                before, scalars.threshold_moment_before
            ),
        )
    after = threshold.moment_after(own, parameters, norms, before)
    return unit_of(after), scalars._replace(
        threshold_moment=kept(after, moment)
    )
