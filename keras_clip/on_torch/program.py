"""Traces a rule to a graph of torch operations that updates tensors in place.

Keras checks the arguments of each of its operations, which takes longer than
the operation does on a small tensor. The graph holds the operations of torch
alone, and is what `torch.compile` is given.
"""

import functools

import torch
from torch.fx.experimental.proxy_tensor import make_fx

from keras_clip.rules.clips import Clip
from keras_clip.rules.rule import Rule
from keras_clip.step.move import new_values


# Optimizers with the same hyperparameters share a program. It is freed once as
# many others are made, so that a search over hyperparameters does not fill the
# memory.
@functools.lru_cache(maxsize=64)
def program_of(
    rule: Rule,
    weight_decay: float,
    clip: type[Clip],
    dtypes: tuple[torch.dtype, ...],
    input_dtypes: tuple[torch.dtype, ...],
    device: torch.device,
) -> torch.fx.GraphModule:
    """Returns `new_values` of one rule as a module that assigns them.

    Args:
        rule: See `new_values`.
        weight_decay: See `new_values`.
        clip: Class of the gradient's clip.
        dtypes: Dtypes of the variable and of its slots.
        input_dtypes: Dtypes of the inputs.
        device: The device of all.

    Returns:
        Callable of the values and the inputs, as arguments: the gradient, the
        learning rate, the number of the update, the clip's numbers and those
        that all variables share. Each is a scalar or broadcasts to the values,
        whose rank does not matter. It returns nothing.
    """
    count, numbers = len(dtypes), len(clip._fields)

    def update(*tensors):
        values, (g, learning_rate, k, *others) = (
            tensors[:count],
            tensors[count:],
        )
        after = new_values(
            rule,
            weight_decay,
            values,
            g,
            learning_rate,
            k,
            clip(*others[:numbers]),
            others[numbers:],
        )
        for value, new in zip(values, after, strict=True):
            value.copy_(new)

    def example(dtype, shape):
        return torch.ones(shape, dtype=dtype, device=device)

    g, *scalars = input_dtypes
    with torch.no_grad():
        return make_fx(update)(
            *(example(dtype, (2,)) for dtype in (*dtypes, g)),
            *(example(dtype, ()) for dtype in scalars),
        )
