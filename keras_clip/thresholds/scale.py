"""Checks the scale of a threshold: one number, or an array per variable."""

import math
import numbers

import numpy as np


def checked_scale(
    name: str, value: object, wanted: str
) -> float | tuple[np.ndarray, ...]:
    """Returns a scale after checking that it is positive.

    Args:
        name: Name of the argument, for the error.
        value: A number, or a list with an array for each variable.
        wanted: The values that are expected, for the error.

    Returns:
        A float, or a tuple of arrays.

    Raises:
        ValueError: If it is neither.
    """
    if isinstance(value, list | tuple):
        try:
            arrays = tuple(np.asarray(item) for item in value)
        except ValueError:
            arrays = ()
        if arrays and all(
            array.dtype.kind in "iuf"
            and np.all(np.isfinite(array) & (array > 0))
            for array in arrays
        ):
            return tuple(array.astype("float64") for array in arrays)
    elif isinstance(value, numbers.Real) and not isinstance(value, bool):
        if math.isfinite(value) and value > 0:
            return float(value)
    raise ValueError(
        f"`{name}` must be {wanted} or, with clipping by coordinate, a list "
        "with an array of positive numbers for each variable. "
        f"Received: {name}={value!r}"
    )


def listed(scale: float | tuple[np.ndarray, ...]) -> float | list:
    """Returns a scale as a JSON value.

    Args:
        scale: A scale, as `checked_scale` returns it.
    """
    if isinstance(scale, float):
        return scale
    return [array.tolist() for array in scale]
