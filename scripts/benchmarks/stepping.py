"""What a benchmark of one framework gives to those who measure."""

import dataclasses
import math
from collections.abc import Callable
from typing import Protocol

import numpy as np

from benchmarks.contestants import Contestant

# Elements of the copy that measures bandwidth, of two buffers in float32: far
# more than caches hold, and on a GPU far more work than a launch takes.
COPIED_ON_CPU = 2**26
COPIED_ON_GPU = 2**28
# An in-place sum reads two numbers and writes one.
COPY_BYTES_AN_ELEMENT = 12


@dataclasses.dataclass(frozen=True)
class Stepper:
    """A contestant that is built.

    Args:
        step: Takes a step, and returns when it is done.
        free: Gives the memory of its state back, after its last step.
        state_bytes: Bytes of its state.
    """

    step: Callable[[], None]
    free: Callable[[], None]
    state_bytes: int


class Bench(Protocol):
    """Variables and gradients that all contestants of a process share."""

    def build(self, contestant: Contestant) -> Stepper:
        """Returns a contestant with its state.

        Args:
            contestant: A contestant of the mode.
        """

    def copy(self, elements: int) -> Callable[[], None]:
        """Returns what adds one buffer to another in place.

        Args:
            elements: Elements of either buffer.
        """


def gradient(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Returns a random gradient.

    Args:
        rng: Where the numbers come from.
        shape: Shape of the variable.
    """
    values = rng.standard_normal(math.prod(shape), dtype=np.float32)
    values *= 0.01
    return values.reshape(shape)
