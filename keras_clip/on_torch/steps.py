"""Takes an optimizer's steps on tensors of torch, in place."""

import numbers
from collections.abc import Sequence

import torch
from keras import ops

from keras_clip.on_torch.groups import update_tensors
from keras_clip.step.decide import decide
from keras_clip.step.move import projected
from keras_clip.step.observe import observe
from keras_clip.step.part import Part
from keras_clip.step.scalars import Scalars
from keras_clip.step.settings import Settings
from keras_clip.step.updates import Update


@torch.no_grad()
def take_in_place(
    settings: Settings,
    jit_compile: bool | str,
    values: Sequence[torch.Tensor],
    slots: Sequence[Sequence[torch.Tensor]],
    scalars: Scalars,
    gradients: Sequence[torch.Tensor],
    learning_rate: float | torch.Tensor,
    part: Part,
) -> Scalars:
    """Takes one step on tensors, as `keras_clip.step.take` on values.

    Nothing in it waits for a GPU.

    Args:
        settings: The settings.
        jit_compile: See `update_tensors`.
        values: The values of the variables that the step moves.
        slots: The values of each variable's slots.
        scalars: The scalars before the step.
        gradients: List of dense tensors, one for each variable.
        learning_rate: Scalar tensor or float.
        part: The part of the optimizer's variables that these are.

    Returns:
        The scalars after the step.
    """
    places = {value.data_ptr() for value in values}
    gradients = [
        _in_working_dtype(gradient, value, places)
        for gradient, value in zip(gradients, values, strict=True)
    ]
    decision = decide(settings, gradients, scalars, part)
    updates = [
        Update(*update)
        for update in zip(
            values,
            slots,
            decision.gradients,
            decision.clips,
            decision.numbers,
            strict=True,
        )
    ]
    update_tensors(
        settings.rule,
        jit_compile,
        [settings.decay_of(position) for position in part.positions],
        updates,
        _as_scalar(learning_rate),
        decision.shared,
    )
    if settings.rule.projection_radius:
        after = projected(
            values, settings.rule.projection_radius, decision.taken
        )
        torch._foreach_copy_(list(values), after)
    return observe(settings, decision, slots, part)


def _in_working_dtype(gradient, value, places):
    """Returns a gradient, a copy if it is at one of the values' places."""
    # `ops.cast` would take most of the time of a step on small tensors.
    dtype = torch.float64 if value.dtype == torch.float64 else torch.float32
    if not isinstance(gradient, torch.Tensor):
        gradient = ops.convert_to_tensor(gradient)
    return gradient.to(dtype, copy=gradient.data_ptr() in places)


def _as_scalar(learning_rate):
    """Returns the learning rate as a tensor, a number in double precision."""
    if isinstance(learning_rate, torch.Tensor):
        return learning_rate
    if isinstance(learning_rate, numbers.Real):
        return torch.tensor(float(learning_rate), dtype=torch.float64)
    return ops.convert_to_tensor(learning_rate)
