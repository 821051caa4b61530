"""Updates on torch, in eager mode, as Keras' trainer takes them there."""

from collections.abc import Callable

import keras
import numpy as np
import torch

from benchmarks.contestants import Contestant
from benchmarks.modes import shapes_of
from benchmarks.stepping import Bench
from benchmarks.stepping import Stepper
from benchmarks.stepping import bytes_of_state
from benchmarks.stepping import gradient


def bench(mode: str, shapes: str, seed: int) -> Bench:
    """Returns what builds optimizers on what they share, and the copy.

    Args:
        mode: The mode, of torch.
        shapes: Name of the shapes.
        seed: Seed of the gradients.
    """
    # So that no contestant's first call loads the compiler.
    torch.compile(lambda x: x + 1)(torch.zeros(2))
    return Bench(_Updates(mode, shapes, seed).build, copy)


class _Updates:
    """Optimizers that all move the same variables by the same gradients."""

    def __init__(self, mode: str, shapes: str, seed: int) -> None:
        self._mode = mode
        rng = np.random.default_rng(seed)
        self._variables, self._gradients = [], []
        for shape in shapes_of(shapes):
            zeros = keras.ops.zeros(shape)
            self._variables.append(keras.Variable(zeros))
            self._gradients.append(
                keras.ops.convert_to_tensor(gradient(rng, shape))
            )

    def build(self, contestant: Contestant) -> Stepper:
        """Returns a contestant with its state."""
        optimizer = contestant.make(self._mode)
        optimizer.build(self._variables)

        def step():
            with torch.no_grad():
                optimizer.apply(self._gradients, self._variables)
            _wait()

        return Stepper(
            step,
            lambda: _free(optimizer.variables),
            bytes_of_state(optimizer.variables),
        )


def copy(elements: int) -> Callable[[], None]:
    """Returns what adds one buffer to another in place.

    Args:
        elements: Elements of either buffer.
    """
    target = keras.ops.zeros((elements,))
    source = keras.ops.ones((elements,))

    def add():
        target.add_(source)
        _wait()

    return add


def _free(variables):
    """Gives the memory of variables back that are not to be used any more."""
    for variable in variables:
        variable.value.data = torch.empty(0)


def _wait():
    """Waits until a GPU is done."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
