"""Defines the problems, small Transformers on text, and a guess's losses."""

import collections
import csv
import dataclasses
import itertools
from pathlib import Path
from pydoc_data import topics

import keras
import numpy as np
from keras import layers

HEADS = 4


@dataclasses.dataclass(frozen=True, eq=False)
class Problem:
    """Stores a model's sizes and the data to train and to evaluate it on.

    Args:
        name: Name in tables.
        x: Integer array (examples, length) of training inputs.
        y: Integer array of their classes, (examples,) or as `x`.
        held_out: Tuple of such arrays to evaluate on.
        classes: Number of classes.
        tokens: Number of different tokens.
        width: Size of a token's vector.
        blocks: Number of attention blocks.
        batch_size: Examples in a mini-batch.
        steps: Number of steps.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    held_out: tuple[np.ndarray, np.ndarray]
    classes: int
    tokens: int
    width: int
    blocks: int
    batch_size: int
    steps: int

    @property
    def entropy(self) -> float:
        """Returns the training loss of the best guess without inputs."""
        share = np.bincount(self.y.ravel()) / self.y.size
        share = share[share > 0]
        return float(-np.sum(share * np.log(share)))

    def model(self) -> keras.Model:
        """Returns the model with its initial weights, not compiled."""
        length = self.x.shape[1]
        generative = self.y.ndim == 2
        tokens = layers.Input((length,), dtype="int32")
        x = layers.Embedding(self.tokens, self.width)(tokens)
        places = keras.ops.arange(length)
        x = x + layers.Embedding(length, self.width)(places)
        for _ in range(self.blocks):
            attend = layers.MultiHeadAttention(HEADS, self.width // HEADS)
            normed = layers.LayerNormalization()(x)
            x = x + attend(normed, normed, use_causal_mask=generative)
            normed = layers.LayerNormalization()(x)
            hidden = layers.Dense(4 * self.width, "gelu")(normed)
            x = x + layers.Dense(self.width)(hidden)
        x = layers.LayerNormalization()(x)
        if not generative:
            x = layers.GlobalAveragePooling1D()(x)
        return keras.Model(tokens, layers.Dense(self.classes)(x))

    def batches(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Returns the examples of all mini-batches in the order of training.

        Args:
            seed: Int; the same seed gives the same order.
        """
        random = np.random.default_rng(seed)
        needed = self.steps * self.batch_size
        epochs = -(-needed // len(self.x))
        order = [random.permutation(len(self.x)) for _ in range(epochs)]
        order = np.concatenate(order)[:needed]
        return self.x[order], self.y[order]


def cola(directory: Path, width: int) -> Problem:
    """Returns the classification of sentences as acceptable or not.

    Args:
        directory: Folder with GLUE's `train.tsv` and `dev.tsv` of CoLA.
        width: Size of a token's vector.
    """
    train, dev = (_sentences(directory / f"{n}.tsv") for n in ("train", "dev"))
    counts = collections.Counter(
        itertools.chain(*(words for words, _ in train))
    )
    # 0 is padding, 1 stands for all other words.
    numbers = {w: i for i, (w, _) in enumerate(counts.most_common(5_000), 2)}

    def arrays(examples, length=24):
        x = np.zeros((len(examples), length), np.int32)
        for row, (words, _) in zip(x, examples, strict=True):
            words = [numbers.get(word, 1) for word in words[:length]]
            row[: len(words)] = words
        return x, np.array([label for _, label in examples], np.int32)

    x, y = arrays(train)
    return Problem(
        f"CoLA, width {width}",
        x,
        y,
        held_out=arrays(dev),
        classes=2,
        tokens=5_002,
        width=width,
        blocks=1,
        batch_size=32,
        steps=1_068,
    )


def characters(width: int) -> Problem:
    """Returns the prediction of the next character in Python's help.

    Args:
        width: Size of a token's vector.
    """
    # Topics share paragraphs: each paragraph is used once.
    paragraphs = "\n\n".join(topics.topics.values()).split("\n\n")
    text = "\n\n".join(dict.fromkeys(paragraphs))
    letters, codes = np.unique(list(text), return_inverse=True)
    codes = codes.astype(np.int32)
    train, held_out = np.split(codes, [len(codes) * 9 // 10])

    def arrays(codes, stride, length=64):
        starts = np.arange(0, len(codes) - length - 1, stride)
        stretches = codes[starts[:, None] + np.arange(length + 1)]
        return stretches[:, :-1], stretches[:, 1:]

    return Problem(
        f"characters, width {width}",
        *arrays(train, stride=7),
        held_out=arrays(held_out, stride=256),
        classes=len(letters),
        tokens=len(letters),
        width=width,
        blocks=2,
        batch_size=8,
        steps=400,
    )


def _sentences(path):
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(row[3].lower().split(), int(row[1])) for row in rows]
