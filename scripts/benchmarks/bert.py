"""A BERT with a classifier, as it is finetuned, and a batch for it."""

import keras
import numpy as np

from benchmarks.shapes import BERTS
from benchmarks.shapes import Bert

BATCH = 8
LONGEST = 128
CLASSES = 2


def model(name: str) -> keras.Model:
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


def batch(name: str, seed: int) -> tuple[list[np.ndarray], np.ndarray]:
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
