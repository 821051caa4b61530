"""What a step leaves alone where its gradient is NaN or infinite."""

from keras import ops


def keep_where_nonfinite(g, new, old):
    """Returns `new` where `g` is finite and `old` elsewhere.

    Args:
        g: Tensor, the gradient.
        new: Sequence of tensors shaped like `g`, the values after the step.
        old: Sequence of tensors shaped like `g`, the values before it.

    Returns:
        Tuple of tensors.
    """
    finite = ops.isfinite(g)
    return tuple(
        ops.where(finite, after, before)
        for after, before in zip(new, old, strict=True)
    )
