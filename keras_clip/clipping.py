"""Clips gradients and computes their norms.

All functions take gradients *after* aggregation over replicas. Norms are
accumulated in float32, or in float64 for float64 gradients. A norm that is NaN
or infinite makes the clipped gradient NaN, never zero or a threshold, so that
later code can tell that the step must be skipped.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

# Number of elements that torch's `dot` adds up.
LONGEST_DOT = 65536
# A tensor of the backend that Keras runs on: no class is common to all three.
Tensor = Any


def working_dtype_of(value: Tensor) -> str:
    """Returns the dtype in which computations on a tensor are done.

    Half precision is for storage only: a norm overflows in float16, and a
    bfloat16 average with a decay near 1 never changes.

    Args:
        value: Tensor or variable of a floating-point dtype.

    Returns:
        `"float64"` for float64, `"float32"` for every other dtype.
    """
    dtype = keras.backend.standardize_dtype(value.dtype)
    return "float64" if dtype == "float64" else "float32"


def widest_dtype_of(values: Sequence) -> str:
    """Returns the dtype of numbers that are computed from several tensors.

    Args:
        values: Sequence of tensors or variables of floating-point dtypes.

    Returns:
        `"float64"` if one of them is float64, else `"float32"`.
    """
    dtypes = {working_dtype_of(value) for value in values}
    return "float64" if "float64" in dtypes else "float32"


def norms(gradients: Sequence[Tensor], dtype: str | None = None) -> Tensor:
    """Returns the Euclidean norm of each gradient.

    Args:
        gradients: Non-empty sequence of dense tensors.
        dtype: Dtype of the norms; the widest working dtype if `None`.

    Returns:
        Tensor of shape `(len(gradients),)`.
    """
    dtype = dtype or widest_dtype_of(gradients)
    if keras.backend.backend() == "torch":
        return ops.sqrt(_square_sums_on_torch(gradients, dtype))
    squares = [ops.cast(_half_square_sum(g), dtype) for g in gradients]
    return ops.sqrt(2.0 * ops.stack(squares))


def total_norm(norms: Tensor) -> Tensor:
    """Returns the global norm of gradients from the norm of each.

    Args:
        norms: Tensor of shape `(n,)`.

    Returns:
        Scalar tensor.
    """
    return ops.sqrt(ops.sum(ops.square(norms)))


def global_norm(gradients: Sequence[Tensor]) -> Tensor:
    """Returns the Euclidean norm over all elements of all gradients.

    Args:
        gradients: Non-empty sequence of dense tensors.

    Returns:
        Scalar tensor of the widest working dtype among the gradients.
    """
    return total_norm(norms(gradients))


def clip_factor(norm: Tensor, threshold: float | Tensor) -> Tensor:
    """Returns `min(1, threshold / norm)`, NaN for a norm that is not finite.

    Args:
        norm: Non-negative tensor.
        threshold: Positive number or tensor; 0 only where the norm is 0.

    Returns:
        Tensor like `norm`; 1 where the norm is 0.
    """
    # Keras copies a number to the device, which a GPU waits for on torch.
    factor = ops.where(norm <= threshold, ops.ones_like(norm), threshold / norm)
    return ops.where(ops.isfinite(norm), factor, factor * math.nan)


def clip_by_norm(gradient: Tensor, threshold: Tensor, norm=None) -> Tensor:
    """Returns `min(1, threshold / norm) · gradient`.

    Args:
        gradient: Dense tensor.
        threshold: Positive number or scalar tensor.
        norm: Scalar tensor. Defaults to `None`: the norm of the gradient.

    Returns:
        Tensor of the gradient's working dtype.
    """
    if norm is None:
        norm = global_norm([gradient])
    dtype = working_dtype_of(gradient)
    factor = ops.cast(clip_factor(norm, threshold), dtype)
    return ops.cast(gradient, dtype) * factor


def clip_by_value(gradient: Tensor, threshold: float | Tensor) -> Tensor:
    """Returns `min(1, threshold / |g_i|) · g_i` for every coordinate.

    Args:
        gradient: Dense tensor.
        threshold: Positive number or tensor that broadcasts to the gradient.

    Returns:
        Tensor like `gradient`; NaN where it is NaN or infinite, and where the
        threshold is NaN.
    """
    # To stay within ±threshold is the same, and costs no division. XLA on CPUs
    # ignores a NaN that is the second of two numbers (tensorflow 2.20.0).
    clipped = ops.minimum(ops.maximum(gradient, -threshold), threshold)
    is_bounded = ops.logical_not(ops.isnan(threshold))
    is_known = ops.logical_and(ops.isfinite(gradient), is_bounded)
    return ops.where(is_known, clipped, threshold * math.nan)


def _half_square_sum(gradient):
    """Returns `Σ g²/2`, on TensorFlow by a kernel as fast as memory is read.

    `reduce_sum(square(g))` takes twice as long (tensorflow 2.20.0, CPU).
    """
    gradient = ops.cast(gradient, working_dtype_of(gradient))
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.nn.l2_loss(gradient)
    return 0.5 * ops.sum(ops.square(gradient))


def _square_sums_on_torch(gradients, dtype):
    """Returns a vector of `Σ g²`, by a kernel as fast as memory is read.

    `sum(square(g))` takes up to twenty times as long (torch 2.13.0, CPU).
    """
    import torch

    sums = []
    for gradient in gradients:
        if not isinstance(gradient, torch.Tensor):
            gradient = ops.convert_to_tensor(gradient)
        if gradient.ndim != 1:
            gradient = gradient.reshape(-1)
        if gradient.dtype not in (torch.float32, torch.float64):
            gradient = gradient.to(torch.float32)
        # `dot` adds up in float32, with errors that grow with the length. Those
        # of `torch.linalg.vector_norm` are larger (torch 2.13.0, CPU).
        if gradient.numel() > LONGEST_DOT and gradient.device.type == "cpu":
            pieces = gradient.split(LONGEST_DOT)
            sums.append(torch.stack([g.dot(g) for g in pieces]).sum())
        else:
            sums.append(gradient.dot(gradient))
    dtype = getattr(torch, dtype)
    return torch.stack([one.to(dtype) for one in sums])
