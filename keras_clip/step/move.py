"""Updates the values of variables and of their slots by the rule."""

from collections.abc import Callable
from collections.abc import Sequence

from keras import ops

from keras_clip import clipping
from keras_clip.clipping import Tensor
from keras_clip.rules.clips import Clip
from keras_clip.rules.clips import cast
from keras_clip.rules.nonfinite import Taken
from keras_clip.rules.rule import Rule
from keras_clip.step.decide import Decision
from keras_clip.step.part import Part
from keras_clip.step.settings import Settings


def move(
    settings: Settings,
    decision: Decision,
    values: Sequence[Tensor],
    slots: Sequence[Sequence[Tensor]],
    learning_rate: Tensor,
    part: Part,
    call: Callable = Rule.__call__,
) -> tuple[list, list]:
    """Returns the values of variables and of their slots after a step.

    Args:
        settings: The settings.
        decision: The decision on the step.
        values: The variables' values.
        slots: The values of each variable's slots.
        learning_rate: The learning rate, a scalar.
        part: The part of the optimizer's variables that these are.
        call: `Rule.__call__`, compiled or not. Defaults to not compiled.

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
        x, *state = new_values(
            settings.rule,
            settings.decay_of(position),
            [value, *state],
            gradient,
            learning_rate,
            number,
            clip,
            decision.shared,
            call,
        )
        moved.append((x, tuple(state)))
    values = [x for x, _ in moved]
    if settings.rule.projection_radius:
        values = projected(
            values, settings.rule.projection_radius, decision.taken
        )
    return values, [state for _, state in moved]


def new_values(
    rule: Rule,
    weight_decay: float,
    values: Sequence[Tensor],
    g: Tensor,
    learning_rate: Tensor,
    k: Tensor,
    clip: Clip,
    shared: Sequence[Tensor],
    call: Callable = Rule.__call__,
) -> list[Tensor]:
    """Returns the values of one variable and of its slots after a step.

    Args:
        rule: The rule, which takes all arguments but `values` and `call`.
        weight_decay: Python float.
        values: The variable's value and those of its slots.
        g: Its gradient, in its working dtype.
        learning_rate: Scalar.
        k: Number of the update; broadcasts to the variable.
        clip: The clip of `g`.
        shared: Tuple of scalars.
        call: `Rule.__call__`, compiled or not. Defaults to not compiled.

    Returns:
        List like `values`.
    """
    x, *state = values
    dtype = clipping.working_dtype_of(x)
    moved, state = call(
        rule,
        ops.cast(x, dtype),
        g,
        tuple(state),
        ops.cast(learning_rate, dtype),
        ops.cast(k, dtype),
        cast(clip, dtype),
        tuple(ops.cast(value, dtype) for value in shared),
        weight_decay=weight_decay,
    )
    return [ops.cast(moved, x.dtype), *state]


def projected(values: Sequence[Tensor], radius: float, taken: Taken) -> list:
    """Returns values that are projected together onto the ball around 0.

    Args:
        values: List of tensors.
        radius: Radius of the ball.
        taken: Whether the step is taken; if not, nothing is projected.
    """
    working = [ops.cast(x, clipping.working_dtype_of(x)) for x in values]
    norm = clipping.global_norm(working)
    factor = clipping.clip_factor(norm, radius)
    factor = taken.choose(factor, ops.ones_like(factor))
    return [
        ops.cast(x * ops.cast(factor, x.dtype), value.dtype)
        for x, value in zip(working, values, strict=True)
    ]
