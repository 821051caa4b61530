"""Defines the state of a step, and its beginning."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from keras_clip import clipping
from keras_clip.clipping import Tensor
from keras_clip.step.part import Part
from keras_clip.step.scalars import Scalars
from keras_clip.step.scalars import each
from keras_clip.step.scalars import starts
from keras_clip.step.settings import Settings
from keras_clip.thresholds.fitting import check_arrays
from keras_clip.thresholds.fitting import check_numbers


class State(NamedTuple):
    """Stores everything that an optimizer keeps from step to step.

    Attributes:
        slots: The values of each variable's slots.
        scalars: The other numbers.
    """

    slots: Sequence[Sequence[Tensor]]
    scalars: Scalars


def start(settings: Settings, values: Sequence[Tensor]) -> State:
    """Returns the state before the first step.

    Args:
        settings: The settings.
        values: List of tensors, the variables' values.
    """
    check_values(values)
    part = Part.all_of(values)
    if settings.clip_threshold is not None:
        check_arrays(settings.clip_threshold, values)
        check_numbers(settings.clip_threshold, part.dtype)
    slots = [
        tuple(
            ops.full(value.shape, fill, dtype=clipping.working_dtype_of(value))
            for fill in settings.rule.slots.values()
        )
        for value in values
    ]
    scalars = each(
        lambda start: ops.convert_to_tensor(
            np.asarray(start.value), dtype=start.dtype
        ),
        starts(settings, part),
    )
    return State(slots, scalars)


def check_values(values: Sequence[Tensor]) -> None:
    """Raises `ValueError` if these are not the values of variables."""
    if not isinstance(values, list | tuple) or not values:
        raise ValueError(
            "`values` must be a list of at least one tensor. "
            f"Received: values={values!r}"
        )
    for place, value in enumerate(values):
        dtype = keras.backend.standardize_dtype(value.dtype)
        if not dtype.startswith(("float", "bfloat")):
            raise ValueError(
                "`values` must be of floating-point dtypes. "
                f"Received: values of dtype {dtype} for variable {place}"
            )
