"""A quadratic under noise without variance, and who runs on it.

The noise is symmetric alpha-stable with a tail index of 1.1: it has a mean and
no variance. What clips runs at one learning rate, what does not at all of them.
"""

import dataclasses
from collections.abc import Mapping

import keras
import numpy as np

from tests.support.front_ends import KERAS

ALPHA, SCALE = 1.1, 0.1
SEEDS, STEPS = 20, 3000
SHAPES = ((12,), (2, 4))
SIZE = 20
CURVATURES = np.logspace(-1, 0, SIZE)
RATES = 10 ** np.linspace(-4, 1, 11)

# The step with one large gradient, where that is the only noise, and its size.
SPIKE_STEP, SPIKE = 10, 1e6


@dataclasses.dataclass(frozen=True, repr=False)
class Case:
    """An optimizer, and the same without clipping.

    Args:
        name: Name in the registry.
        arguments: Its arguments, the learning rate among them.
        unclipped: Keras optimizer that it is without clipping, with arguments;
            its own with `clip_threshold=None` if `None`.
    """

    name: str
    arguments: Mapping[str, object]
    unclipped: tuple | None = None

    def clipped_optimizer(self):
        return KERAS.optimizer(self.name, **self.arguments)

    def unclipped_optimizer(self):
        if self.unclipped is None:
            arguments = {**self.arguments, "clip_threshold": None}
            return KERAS.optimizer(self.name, **arguments)
        class_name, arguments = self.unclipped
        return getattr(keras.optimizers, class_name)(**arguments)


BY_COORDINATE = {"clipping": "coordinate", "clip_threshold": 0.1}

CASES = {
    "gclip": Case("gclip", {"learning_rate": 0.01}),
    "gclip, momentum": Case("gclip", {"learning_rate": 0.001, "momentum": 0.9}),
    "cclip": Case("cclip", {"learning_rate": 0.03, "clip_threshold": 0.1}),
    "acclip": Case(
        "acclip", {"learning_rate": 0.01}, ("SGD", {"momentum": 0.9})
    ),
    "clip_adam_norm": Case("clip_adam_norm", {"learning_rate": 0.01}),
    "clip_adam_norm, delay": Case(
        "clip_adam_norm", {"learning_rate": 0.01, "delay": 1}
    ),
    "clip_adagrad_norm": Case("clip_adagrad_norm", {"learning_rate": 0.3}),
    "clip_adagrad_norm, delay": Case(
        "clip_adagrad_norm", {"learning_rate": 0.3, "delay": 1}
    ),
    "clip_adam": Case("clip_adam", {"learning_rate": 0.003}),
    "clip_adam, layer": Case(
        "clip_adam", {"learning_rate": 0.003, "clipping": "layer"}
    ),
    "clip_adam, coordinate, delay": Case(
        "clip_adam", {"learning_rate": 0.001, "delay": 1, **BY_COORDINATE}
    ),
    "clip_adagrad": Case("clip_adagrad", {"learning_rate": 0.1}),
    "clip_adagrad, coordinate": Case(
        "clip_adagrad", {"learning_rate": 0.1, **BY_COORDINATE}
    ),
}


def start():
    """Returns the parameters, as far from the optimum in every coordinate."""
    x = np.full(SIZE, 3 / np.sqrt(SIZE))
    return [x[:12].reshape(SHAPES[0]), x[12:].reshape(SHAPES[1])]


def height(x):
    """Returns how far above its optimum the quadratic is at the parameters."""
    x = np.concatenate([array.ravel() for array in x])
    return np.sum(CURVATURES * x**2) / 2


def stable_noise():
    """Returns noise of shape (seeds, steps, size).

    By Chambers, Mallows and Stuck: its characteristic function is
    `exp(−|SCALE · t|^ALPHA)`.
    """
    rng = np.random.default_rng(7)
    shape = (SEEDS, STEPS, SIZE)
    angle = rng.uniform(-np.pi / 2, np.pi / 2, shape)
    w = rng.exponential(size=shape)
    power = (1 - ALPHA) / ALPHA
    x = np.sin(ALPHA * angle) / np.cos(angle) ** (1 / ALPHA)
    return SCALE * x * (np.cos((1 - ALPHA) * angle) / w) ** power


def spike():
    """Returns noise of shape (1, steps, size) in one step alone."""
    noise = np.zeros((1, STEPS, SIZE))
    noise[0, SPIKE_STEP] = SPIKE
    return noise
