"""What a step leaves alone where its gradient is NaN or infinite."""

from keras import ops


def is_finite(g):
    """Returns where a gradient is finite enough to be stepped by.

    A coordinate whose square overflows counts as infinite: it would make a
    second moment infinite for ever, and a norm is infinite with it already.

    Args:
        g: Tensor.

    Returns:
        Boolean tensor like `g`.
    """
    return ops.isfinite(ops.square(g))


def keep_where_nonfinite(g, new, old):
    """Returns `new` where `g` is finite and `old` elsewhere.

    Args:
        g: Tensor, the gradient.
        new: Sequence of tensors shaped like `g`, the values after the step.
        old: Sequence of tensors shaped like `g`, the values before it.

    Returns:
        Tuple of tensors.
    """
    finite = is_finite(g)
    return tuple(
        ops.where(finite, after, before)
        for after, before in zip(new, old, strict=True)
    )
