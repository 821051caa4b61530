"""A BERT, gradients and steps for the benchmarks of both frameworks."""

import dataclasses
import math
from collections.abc import Callable
from collections.abc import Iterable

import keras
import numpy as np

from benchmarks.contestants import Contestant
from benchmarks.modes import BERTS
from benchmarks.modes import Bert

BATCH = 8
LONGEST = 128
CLASSES = 2
# Variables of an optimizer that are no state of the algorithm.
_PLUMBING = {"iteration", "learning_rate"}


@dataclasses.dataclass(frozen=True)
class Stepper:
    """An optimizer that is built, with variables, gradients and its state.

    Args:
        step: Takes a step, and returns when it is done.
        free: Gives the memory of its state back, after its last step.
        state_bytes: Bytes of its state.
    """

    step: Callable[[], None]
    free: Callable[[], None]
    state_bytes: int


@dataclasses.dataclass(frozen=True)
class Bench:
    """Measures contestants in one process.

    Args:
        build: Makes a contestant of the mode, on variables and gradients that
            all share.
        copy: Makes what adds one buffer to another in place, of as many
            elements as it is given.
    """

    build: Callable[[Contestant], Stepper]
    copy: Callable[[int], Callable[[], None]]


def gradient(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Returns a random gradient.

    Args:
        rng: Where the numbers come from.
        shape: Shape of the variable.
    """
    values = rng.standard_normal(math.prod(shape), dtype=np.float32)
    values *= 0.01
    return values.reshape(shape)


def bytes_of_state(variables: Iterable) -> int:
    """Returns the bytes of an optimizer's state.

    Args:
        variables: The optimizer's variables, of Keras or TensorFlow. Those for
            the learning rate and the number of steps are left out.
    """
    return sum(
        math.prod(variable.shape) * _item(variable.dtype)
        for variable in variables
        if variable.name.split(":")[0] not in _PLUMBING
    )


def bert(name: str) -> keras.Model:
    """Returns a model whose variables have the shapes of that name.

    Besides them there are the kernel and the bias of the classifier. There is
    no dropout: its cost is not that of the optimizer.

    Args:
        name: A key of `BERTS`.
    """
    sizes = BERTS[name]
    inputs = [keras.Input((_length(sizes),), dtype="int32") for _ in range(3)]
    rows = (sizes.vocabulary, sizes.positions, sizes.types)
    tables = [keras.layers.Embedding(n, sizes.hidden) for n in rows]
    x = keras.layers.add(
        [table(ids) for table, ids in zip(tables, inputs, strict=True)]
    )
    x = _normalized(x)
    for _ in range(sizes.layers):
        attention = keras.layers.MultiHeadAttention(
            sizes.heads, sizes.hidden // sizes.heads
        )
        x = _normalized(keras.layers.add([x, attention(x, x)]))
        wide = keras.layers.Dense(sizes.intermediate, "gelu")(x)
        narrow = keras.layers.Dense(sizes.hidden)(wide)
        x = _normalized(keras.layers.add([x, narrow]))
    pooled = keras.layers.Dense(sizes.hidden, "tanh")(x[:, 0])
    return keras.Model(inputs, keras.layers.Dense(CLASSES)(pooled))


def bert_batch(name: str, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
    """Returns a batch of random tokens: the inputs and the labels.

    Args:
        name: A key of `BERTS`.
        seed: Seed of the tokens and labels.
    """
    sizes, rng = BERTS[name], np.random.default_rng(seed)
    shape = (BATCH, _length(sizes))
    words = rng.integers(sizes.vocabulary, size=shape, dtype="int32")
    places = np.broadcast_to(np.arange(shape[1], dtype="int32"), shape)
    types = rng.integers(sizes.types, size=shape, dtype="int32")
    labels = rng.integers(CLASSES, size=(BATCH,), dtype="int32")
    return [words, places.copy(), types], labels


def _length(sizes: Bert) -> int:
    return min(LONGEST, sizes.positions)


def _normalized(x):
    return keras.layers.LayerNormalization(epsilon=1e-12)(x)


def _item(dtype):
    """Returns the bytes of one number of a dtype of Keras or TensorFlow."""
    return np.dtype(getattr(dtype, "name", dtype)).itemsize
