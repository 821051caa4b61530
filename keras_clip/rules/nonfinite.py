"""What a step leaves alone where its gradient is NaN or infinite."""

import keras
from keras import ops

# The square of a number below this one is finite, of one from it on infinite.
_BOUNDS = {"float32": 2.0**64, "float64": 2.0**512}


def is_finite(g):
    """Returns where a gradient is finite enough to be stepped by.

    A coordinate whose square overflows counts as infinite: it would make a
    second moment infinite for ever, and a norm is infinite with it already.

    Args:
        g: Tensor of float32 or float64.

    Returns:
        Boolean tensor like `g`.
    """
    # One comparison, false for NaN. With `isfinite(square(g))` an average takes
    # a third longer where XLA updates it in place (tensorflow 2.20.0, CPU).
    return ops.absolute(g) < _BOUNDS[keras.backend.standardize_dtype(g.dtype)]


def keep_where(finite, new, old):
    """Returns `new` where a gradient is finite and `old` elsewhere.

    Args:
        finite: Boolean tensor that broadcasts to the values, or `None` for
            `new` everywhere.
        new: Sequence of tensors, the values after the step.
        old: Sequence of tensors, the values before it.

    Returns:
        Tuple of tensors.
    """
    if finite is None:
        return tuple(new)
    return tuple(
        ops.where(finite, after, before)
        for after, before in zip(new, old, strict=True)
    )
