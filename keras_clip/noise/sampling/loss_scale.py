"""The scale of the loss at which the gradient of a batch is a number."""

import math
from collections.abc import Callable

import numpy as np

# The smallest normal number of float16, in which the scale may have to be.
LEAST = 2.0**-14
# A gradient whose norm is smaller, scaled, may have coordinates that are not
# even subnormal numbers of float16; the norm to which it is scaled then.
FLUSHED = 1.0
RAISED = 2.0**8


class LossScale:
    """Finds a scale for each batch, in the way in which training does.

    In float16 gradients are those of a loss that is multiplied by a scale: so
    large that they do not vanish, so small that they do not overflow. In
    training an overflow halves the scale and skips the step. Here it halves the
    scale until the gradient of that very batch is finite, for the mini-batches
    with the largest gradients are those that a tail index is about. What
    follows begins at the scale that was found; a gradient that is small there
    is taken again at a larger one, up to that of training.

    Args:
        initial: The scale of training, 1 if it has none.
    """

    def __init__(self, initial: float):
        self._largest = self._scale = float(initial)
        self._least = min(LEAST, self._largest)

    def measured(self, measure: Callable, *arguments) -> tuple:
        """Returns what is measured at a scale where it is finite.

        Args:
            measure: Callable of a scale and of the arguments that returns a
                tuple, first of it the norm of the gradient, unscaled: NaN or
                infinite if the gradient is.
            *arguments: The arguments.

        Returns:
            Tuple as that of `measure`, the norm as a float. It is not finite if
            it is so at every scale.
        """

        def at(scale):
            norm, *rest = measure(np.float32(scale), *arguments)
            return float(norm), *rest

        scale = self._scale
        result = at(scale)
        if not math.isfinite(result[0]):
            # What is no number at the least scale is none at any.
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
        """Returns a scale for a gradient of a norm that may have vanished."""
        scale = self._scale
        while norm * scale < RAISED and scale < self._largest:
            scale = min(2 * scale, self._largest)
        return scale
