"""Checks that a threshold fits variables, a dtype or another threshold."""

import copy
from collections.abc import Sequence

import numpy as np

from keras_clip.thresholds.identifiers import serialize
from keras_clip.thresholds.threshold import Threshold


def scales_of(threshold: Threshold) -> tuple:
    """Returns the scale as a tuple of one number, or of arrays.

    Args:
        threshold: A threshold.
    """
    if isinstance(threshold.scale, tuple):
        return threshold.scale
    return (threshold.scale,)


def differ_in_numbers_alone(
    threshold: Threshold | None, other: Threshold | None
) -> bool:
    """Returns whether thresholds differ in scale and `parameters` at most.

    Args:
        threshold: A threshold, or `None` for no clipping.
        other: Another threshold, or `None`.
    """
    if threshold is None or other is None:
        return threshold is other
    shapes, wanted = (
        [np.shape(scale) for scale in scales_of(each)]
        for each in (threshold, other)
    )
    if type(threshold) is not type(other) or shapes != wanted:
        return False
    if len(threshold.parameters) != len(other.parameters):
        return False
    # Configs list arrays, which may be as large as the model. Arrays of one
    # number are as good for the comparison.
    scale = other.scale
    if isinstance(scale, tuple):
        scale = tuple(np.ones(()) for _ in scale)
    like = copy.copy(other)
    like.scale = scale
    try:
        same = threshold.with_numbers(scale, other.parameters)
    except TypeError:
        return False
    return same.get_config() == like.get_config()


def check_arrays(threshold: Threshold, variables: Sequence) -> None:
    """Raises unless each variable has an array that broadcasts to it.

    Args:
        threshold: A threshold.
        variables: Sequence of variables.

    Raises:
        ValueError: If the number or a shape of the arrays does not fit.
    """
    if not isinstance(threshold.scale, tuple):
        return
    arrays = threshold.scale
    shapes = [tuple(variable.shape) for variable in variables]
    fits = len(arrays) == len(shapes) and all(
        _broadcasts(array.shape, shape)
        for array, shape in zip(arrays, shapes, strict=True)
    )
    if not fits:
        raise ValueError(
            "`clip_threshold` must hold one array for each variable that "
            f"broadcasts to its shape, {shapes}. Received: clip_threshold with "
            f"arrays of shapes {[array.shape for array in arrays]}"
        )


def check_numbers(threshold: Threshold, dtype: str) -> None:
    """Raises if rounding a threshold's numbers makes them invalid.

    Args:
        threshold: A threshold.
        dtype: The dtype in which its numbers are stored.

    Raises:
        ValueError: If a rounded scale is zero or infinite, or another rounded
            number is out of its range.
    """
    with np.errstate(over="ignore"):
        scales = [np.asarray(s, dtype) for s in scales_of(threshold)]
        parameters = [np.asarray(p, dtype) for p in threshold.parameters]
    fits = all(np.all(np.isfinite(s) & (s > 0)) for s in scales)
    if fits and isinstance(threshold.scale, float):
        try:
            threshold.with_numbers(
                float(scales[0]), [float(p) for p in parameters]
            )
        except ValueError:
            fits = False
    if not fits:
        raise ValueError(
            f"`clip_threshold` must have numbers that {dtype} holds. "
            f"Received: clip_threshold={serialize(threshold)}"
        )


def _broadcasts(shape, target):
    try:
        return np.broadcast_shapes(shape, target) == target
    except ValueError:
        return False
