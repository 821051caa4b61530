"""A quadratic under noise without variance, and who runs on it.

The noise is symmetric alpha-stable with a tail index of 1.1: it has a mean and
no variance. What clips runs at one learning rate, what does not at all of them.
"""

import keras
import numpy as np

from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS

ALPHA, SCALE = 1.1, 0.1
SEEDS, STEPS = 20, 3000
SHAPES = ((12,), (2, 4))
SIZE = 20
CURVATURES = np.logspace(-1, 0, SIZE)
RATES = 10 ** np.linspace(-4, 1, 11)

# The step with one large gradient, where that is the only noise, and its size.
SPIKE_STEP, SPIKE = 10, 1e6


# Names of optimizers and cases, by the names of the cases.
CASES = {
    key: (enrolment.name, case)
    for enrolment in ENROLMENTS.values()
    for key, case in enrolment.heavy_tails.items()
}


def clipped_optimizer(key):
    """Returns the optimizer of a case."""
    name, case = CASES[key]
    return KERAS.optimizer(name, **case.arguments)


def unclipped_optimizer(key):
    """Returns what it is compared with, an optimizer without clipping."""
    name, case = CASES[key]
    if case.unclipped is None:
        arguments = {**case.arguments, "clip_threshold": None}
        return KERAS.optimizer(name, **arguments)
    class_name, arguments = case.unclipped
    return getattr(keras.optimizers, class_name)(**arguments)


def start():
    """Returns the parameters, as far from the optimum in every coordinate."""
    return in_shapes(np.full(SIZE, 3 / np.sqrt(SIZE)))


def in_shapes(x):
    """Returns a vector as arrays of the shapes `SHAPES`."""
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
