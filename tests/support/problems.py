"""Three small problems to train on, whose gradients differ in scale.

Along the way of Adam, the norm of the gradient is about 70 in the regression, 1
in the classification and 0.01 in the attention. The models are functions of
`keras.ops`, and their parameters start as those of the layers of Keras.
"""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

BATCH = 32


@dataclasses.dataclass(frozen=True)
class Problem:
    """A model with its initial parameters, all its data, and its loss.

    Args:
        parameters: List of arrays.
        inputs: Array with a row for each example.
        targets: Array with a row for each example.
        model: Maps parameters and inputs to outputs.
        loss: Maps targets and outputs to the mean loss.
        steps: How many steps Adam, with its defaults, trains it well in.
    """

    parameters: list
    inputs: np.ndarray
    targets: np.ndarray
    model: Callable
    loss: Callable
    steps: int

    def batches(self):
        """Returns the rows of every step's batch, in epochs of fixed order."""
        rng = np.random.default_rng(7)
        rows = len(self.inputs)
        epochs = -(-self.steps * BATCH // rows)
        order = [rng.permutation(rows) for _ in range(epochs)]
        rows_of_all = np.concatenate(order)[: self.steps * BATCH]
        return rows_of_all.reshape(self.steps, BATCH)


def regression():
    """Features far from unit variance, linear to eight targets."""
    rng = np.random.default_rng(0)
    inputs = 3 * rng.normal(size=(512, 64))
    targets = inputs @ rng.normal(size=(64, 8)) / 8
    targets += 0.5 * rng.normal(size=targets.shape)

    def model(parameters, x):
        w, b = parameters
        return x @ w + b

    return Problem(
        [_kernel(rng, 64, 8), np.zeros(8)],
        inputs.astype("float32"),
        targets.astype("float32"),
        model,
        _squared_error,
        steps=500,
    )


def classification():
    """Four classes, which a random network of two layers tells apart."""
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(1024, 16))
    hidden = np.tanh(inputs @ rng.normal(size=(16, 8)) / 2)
    targets = np.argmax(hidden @ rng.normal(size=(8, 4)), axis=1)

    def model(parameters, x):
        w1, b1, w2, b2, w3, b3 = parameters
        return ops.relu(ops.relu(x @ w1 + b1) @ w2 + b2) @ w3 + b3

    return Problem(
        [
            array
            for rows, columns in ((16, 32), (32, 32), (32, 4))
            for array in (_kernel(rng, rows, columns), np.zeros(columns))
        ],
        inputs.astype("float32"),
        targets.astype("int32"),
        model,
        _cross_entropy,
        steps=500,
    )


def attention():
    """One token of sixteen decides, and can stand anywhere."""
    rng = np.random.default_rng(0)
    rows, length, vocabulary, width = 1024, 16, 32, 16
    inputs = rng.integers(4, vocabulary, size=(rows, length))
    targets = rng.integers(0, 2, size=rows)
    places = rng.integers(0, length, size=rows)
    inputs[np.arange(rows), places] = 2 * targets + rng.integers(0, 2, rows)

    def model(parameters, tokens):
        embedding, q, k, v, w, b = parameters
        x = ops.take(embedding, tokens, axis=0)
        scores = (x @ q) @ ops.swapaxes(x @ k, 1, 2) / width**0.5
        x = x + ops.softmax(scores) @ (x @ v)
        return ops.mean(x, axis=1) @ w + b

    return Problem(
        [
            rng.uniform(-0.05, 0.05, size=(vocabulary, width)),
            *(_kernel(rng, width, width) for _ in range(3)),
            _kernel(rng, width, 2),
            np.zeros(2),
        ],
        inputs.astype("int32"),
        targets.astype("int32"),
        model,
        _cross_entropy,
        steps=1000,
    )


PROBLEMS = {
    make.__name__: make for make in (regression, classification, attention)
}


def _kernel(rng, rows, columns):
    limit = np.sqrt(6 / (rows + columns))
    return rng.uniform(-limit, limit, size=(rows, columns))


def _squared_error(targets, outputs):
    return ops.mean(ops.sum(ops.square(targets - outputs), axis=1))


def _cross_entropy(targets, logits):
    return ops.mean(
        keras.losses.sparse_categorical_crossentropy(
            targets, logits, from_logits=True
        )
    )
