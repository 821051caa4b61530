"""Moves the values of variables and of their slots by the rule."""

from collections.abc import Callable
from collections.abc import Sequence

from keras import ops

from keras_clip import clipping
from keras_clip.rules.clips import cast
from keras_clip.rules.nonfinite import Taken
from keras_clip.rules.rule import Rule
from keras_clip.step.decide import Decision
from keras_clip.step.part import Part
from keras_clip.step.settings import Settings


def move(
    settings: Settings,
    decision: Decision,
    values: Sequence,
    slots: Sequence[Sequence],
    learning_rate,
    part: Part,
    call: Callable = Rule.__call__,
) -> tuple[list, list]:
    """Returns the values of variables and of their slots after a step.

    Args:
        settings: The settings.
        decision: What the step does.
        values: List of tensors, the variables' values.
        slots: List of the values of each variable's slots.
        learning_rate: Scalar tensor.
        part: Which variables they are.
        call: `Rule.__call__`, as it is or compiled. Defaults to as it is.

    Returns:
        Lists like `values` and `slots`.
    """
    moved = []
    for value, state, gradient, clip, number, position in zip(
        values,
        slots,
        decision.gradients,
        decision.clips,
        decision.numbers,
        part.positions,
        strict=True,
    ):
        dtype = clipping.working_dtype_of(value)
        x, state = call(
            settings.rule,
            ops.cast(value, dtype),
            gradient,
            tuple(state),
            ops.cast(learning_rate, dtype),
            ops.cast(number, dtype),
            cast(clip, dtype),
            tuple(ops.cast(value, dtype) for value in decision.shared),
            weight_decay=settings.decay_of(position),
        )
        moved.append((ops.cast(x, value.dtype), state))
    values = [x for x, _ in moved]
    if settings.rule.projection_radius:
        values = projected(
            values, settings.rule.projection_radius, decision.taken
        )
    return values, [state for _, state in moved]


def projected(values: Sequence, radius: float, taken: Taken) -> list:
    """Returns values, projected together on the ball around 0.

    Args:
        values: List of tensors.
        radius: Radius of the ball.
        taken: Whether the step is taken; they are left alone if it is not.
    """
    working = [ops.cast(x, clipping.working_dtype_of(x)) for x in values]
    norm = clipping.global_norm(working)
    factor = taken.choose(clipping.clip_factor(norm, radius), 1.0)
    return [
        ops.cast(x * ops.cast(factor, x.dtype), value.dtype)
        for x, value in zip(working, values, strict=True)
    ]
