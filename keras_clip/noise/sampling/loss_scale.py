"""Finds the scale of the loss at which the gradient of a batch is finite."""

import math
from collections.abc import Callable

import numpy as np

# The smallest normal number of float16, the dtype in which the scale may be.
LEAST = 2.0**-14
# If the norm of a scaled gradient is smaller, coordinates may underflow in
# float16; it is then scaled to the second norm.
FLUSHED = 1.0
RAISED = 2.0**8


class LossScale:
    """Finds a scale for each batch, similarly to training.

    In float16, gradients are computed from a loss that is multiplied by a
    scale, large enough to avoid underflow and small enough to avoid overflow.
    In training an overflow halves the scale and skips the step. Here it halves
    the scale until the gradient of the same batch is finite, because a tail
    index depends on the mini-batches with the largest gradients. The next batch
    starts with the last scale. If its gradient is small, it is computed again
    with a larger scale, at most that of training.

    Args:
        initial: The scale of training, 1 if it has none.
    """

    def __init__(self, initial: float):
        self._largest = self._scale = float(initial)
        self._least = min(LEAST, self._largest)

    def measured(self, measure: Callable, *arguments) -> tuple:
        """Returns a measurement at a scale where the gradient is finite.

        Args:
            measure: Callable of a scale and of the arguments. It returns a
                tuple that begins with the unscaled norm of the gradient, which
                is NaN or infinite if the gradient is.
            *arguments: The arguments.

        Returns:
            The tuple of `measure` with the norm as a float, which is not finite
            if it is not finite at any scale.
        """

        def at(scale):
            norm, *rest = measure(np.float32(scale), *arguments)
            return float(norm), *rest

        scale = self._scale
        result = at(scale)
        if not math.isfinite(result[0]):
            # If it is not finite at the least scale, it is not at any.
            if math.isfinite(at(self._least)[0]):
                while not math.isfinite(result[0]) and scale > self._least:
                    scale = max(scale / 2, self._least)
                    result = at(scale)
        elif result[0] * scale < FLUSHED and scale < self._largest:
            raised = self._raised(result[0])
            again = at(raised)
            if math.isfinite(again[0]):
                scale, result = raised, again
        if math.isfinite(result[0]):
            self._scale = scale
        return result

    def _raised(self, norm):
        """Returns a scale for a gradient that may have underflowed."""
        scale = self._scale
        while norm * scale < RAISED and scale < self._largest:
            scale = min(2 * scale, self._largest)
        return scale
