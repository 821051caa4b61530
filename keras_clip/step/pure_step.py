"""Takes one step as a pure function: values in, values out."""

from collections.abc import Callable
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_clip import clipping
from keras_clip.clipping import Tensor
from keras_clip.rules.rule import Rule
from keras_clip.step.decide import decide
from keras_clip.step.move import move
from keras_clip.step.observe import observe
from keras_clip.step.part import Part
from keras_clip.step.scalars import Scalars
from keras_clip.step.scalars import Start
from keras_clip.step.scalars import starts
from keras_clip.step.settings import Settings
from keras_clip.step.state import State
from keras_clip.step.state import check_values


def take(
    settings: Settings,
    values: Sequence[Tensor],
    state: State,
    gradients: Sequence[Tensor],
    learning_rate: float | Tensor,
    part: Part | None = None,
    call: Callable = Rule.__call__,
) -> tuple[list[Tensor], State]:
    """Returns variables and state after one step.

    It is a pure function of arrays, which can be compiled and vectorized. The
    arguments `settings` and `part` are hashable and not arrays.

    Args:
        settings: The settings. A step reads the threshold's numbers from the
            state's scalars; those in the settings are the initial ones.
        values: The values of the variables that the step moves.
        state: The state before the step, with the slots of these variables.
        gradients: The dense gradients of the global batch, one for each of
            `values` and of its shape.
        learning_rate: The learning rate, a scalar.
        part: The part of the optimizer's variables that these are. Defaults to
            `None`: all.
        call: `Rule.__call__`, compiled or not. Defaults to not compiled.

    Returns:
        Tuple of a list like `values`, and of the state.

    Raises:
        ValueError: If there are more or fewer gradients, or slots, than
            variables, if one does not have the shape of its variable, or if
            the state is of other settings.

    Example:

    >>> from keras_clip.rules.clip_adam import ClipAdamRule
    >>> from keras_clip.step import Settings, start, take
    >>> settings = Settings(ClipAdamRule(), clip_threshold=1.0)
    >>> values = [keras.ops.ones(3)]
    >>> state = start(settings, values)
    >>> for _ in range(5):
    ...     gradients = [2 * x for x in values]
    ...     values, state = take(settings, values, state, gradients, 0.1)
    >>> print(keras.ops.convert_to_numpy(values[0]).round(1))
    [0.5 0.5 0.5]
    """
    if part is None:
        check_values(values)
        part = Part.all_of(values)
    _check_given(settings, values, state, gradients, part)
    gradients = [
        ops.cast(gradient, clipping.working_dtype_of(value))
        for gradient, value in zip(gradients, values, strict=True)
    ]
    decision = decide(settings, gradients, state.scalars, part)
    values, slots = move(
        settings, decision, values, state.slots, learning_rate, part, call
    )
    return values, State(slots, observe(settings, decision, slots, part))


def _check_given(settings, values, state, gradients, part):
    """Raises if gradients or state are not those of the variables."""
    check_values(values)
    if not isinstance(state, State):
        raise ValueError(
            "`state` must be what `start` or `take` returns. "
            f"Received: state={state!r}"
        )
    counts = {
        "gradients": len(gradients),
        "state": len(state.slots),
        "part": len(set(part.positions)),
    }
    for name, count in counts.items():
        if count != len(values):
            raise ValueError(
                f"`{name}` must be of as many variables as `values`. Received: "
                f"{name} of {count} variables and {len(values)} values"
            )
    wanted = len(settings.rule.slots)
    for place, (value, gradient, slots) in enumerate(
        zip(values, gradients, state.slots, strict=True)
    ):
        if len(slots) != wanted:
            raise ValueError(
                f"`state` must have {wanted} slots for each variable, as "
                "`start` makes them. "
                f"Received: state with {len(slots)} for variable {place}"
            )
        of_slots = [("state", slot) for slot in slots]
        for name, tensor in [("gradients", gradient), *of_slots]:
            shape = getattr(tensor, "shape", None)
            if shape is None or tuple(shape) != tuple(value.shape):
                received = repr(tensor) if shape is None else tuple(shape)
                raise ValueError(
                    f"`{name}` must have the shapes of `values`. Received: "
                    f"{name} with {received} for variable {place} of shape "
                    f"{tuple(value.shape)}"
                )
        dtype = keras.backend.standardize_dtype(gradient.dtype)
        if dtype.startswith("complex"):
            raise ValueError(
                "`gradients` must be real. "
                f"Received: gradients of dtype {dtype} for variable {place}"
            )
    for name, begin, held in zip(
        Scalars._fields, starts(settings, part), state.scalars, strict=True
    ):
        shape, wanted = _shapes(held), _shapes(begin)
        if shape != wanted:
            raise ValueError(
                "`state` must be what `start` makes for these settings. "
                f"Received: state with `{name}` of shape {shape}, not {wanted}"
            )


def _shapes(number):
    """Returns the shape of one of `Scalars`, or the shapes in its tuple."""
    if type(number) is tuple:
        return [_shapes(one) for one in number]
    if isinstance(number, Start):
        number = number.value
    if number is None:
        return None
    return tuple(getattr(number, "shape", np.shape(number)))
