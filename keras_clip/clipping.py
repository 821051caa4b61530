"""The clipping operators, the global norm, the merging of sparse rows.

Everything here sees gradients *after* aggregation over replicas. Norms are
accumulated in float32, in float64 for float64 gradients. A norm that is NaN or
infinite makes the clipped gradient NaN, never a zero or a threshold, so that
what comes after can tell a bad step from a good one.
"""

import math
from collections.abc import Sequence

import keras
from keras import ops


def working_dtype_of(value) -> str:
    """Returns the dtype in which the values of a tensor are worked with.

    Half precision is for storage only: a norm overflows in float16, and a
    bfloat16 average with a decay near 1 does not move at all.

    Args:
        value: Tensor or variable of a floating-point dtype.

    Returns:
        `"float64"` for float64, `"float32"` for every other dtype.
    """
    dtype = keras.backend.standardize_dtype(value.dtype)
    return "float64" if dtype == "float64" else "float32"


def densify(gradient, shape: Sequence[int] | None = None):
    """Returns a gradient as a dense tensor, duplicate rows summed.

    Args:
        gradient: Tensor; on TensorFlow also `tf.IndexedSlices` as embedding
            layers give, on JAX an array of `jax.experimental.sparse`, on torch
            a tensor of any layout. Keras never merges the duplicate rows of
            `tf.IndexedSlices` (keras/src/optimizers/base_optimizer.py, 3.15.1),
            which makes every non-linear update wrong.
        shape: Shape of the variable, for `tf.IndexedSlices` without one.

    Returns:
        Dense tensor; `tf.IndexedSlices` are summed in the working dtype.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow":
        return _densify_rows(with_dense_shape(gradient, shape))
    if backend == "jax":
        from jax.experimental.sparse import JAXSparse

        if isinstance(gradient, JAXSparse):
            return gradient.todense()
    elif backend == "torch":
        import torch

        if isinstance(gradient, torch.Tensor):
            return gradient.to_dense()
    return gradient


def with_dense_shape(gradient, shape: Sequence[int] | None):
    """Returns a TensorFlow gradient with a shape, if it is rows without one.

    Args:
        gradient: Tensor, `tf.IndexedSlices` or `None`.
        shape: Shape of the variable.
    """
    import tensorflow as tf

    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    if gradient.dense_shape is not None or shape is None:
        return gradient
    return tf.IndexedSlices(
        gradient.values, gradient.indices, tf.constant([*shape], "int64")
    )


def widest_dtype_of(values: Sequence) -> str:
    """Returns the dtype of what is computed from several tensors together.

    Args:
        values: Sequence of tensors or variables of floating-point dtypes.

    Returns:
        `"float64"` if one of them is float64, else `"float32"`.
    """
    dtypes = {working_dtype_of(value) for value in values}
    return "float64" if "float64" in dtypes else "float32"


def norms(gradients: Sequence, dtype: str | None = None):
    """Returns the Euclidean norm of each gradient.

    Args:
        gradients: Non-empty sequence of dense tensors.
        dtype: Dtype of the norms; the widest working dtype if `None`.

    Returns:
        Tensor of shape `(len(gradients),)`.
    """
    dtype = dtype or widest_dtype_of(gradients)
    squares = [ops.cast(_half_square_sum(g), dtype) for g in gradients]
    return ops.sqrt(2.0 * ops.stack(squares))


def total_norm(norms):
    """Returns the norm of all gradients together from the norm of each.

    Args:
        norms: Tensor of shape `(n,)`.

    Returns:
        Scalar tensor.
    """
    return ops.sqrt(ops.sum(ops.square(norms)))


def global_norm(gradients: Sequence):
    """Returns the Euclidean norm over all elements of all gradients.

    Args:
        gradients: Non-empty sequence of dense tensors.

    Returns:
        Scalar tensor of the widest working dtype among the gradients.
    """
    return total_norm(norms(gradients))


def clip_factor(norm, threshold):
    """Returns `min(1, threshold / norm)`, 1 for norm 0, NaN for a bad norm.

    Args:
        norm: Non-negative tensor.
        threshold: Positive number or tensor; 0 only where the norm is 0.

    Returns:
        Tensor like `norm`.
    """
    factor = ops.where(norm <= threshold, 1.0, threshold / norm)
    return ops.where(ops.isfinite(norm), factor, math.nan)


def clip_by_norm(gradient, threshold: float, norm=None):
    """Returns `min(1, threshold / norm) · gradient`.

    Args:
        gradient: Dense tensor.
        threshold: Positive number.
        norm: Scalar tensor; the gradient's own norm if `None`.

    Returns:
        Tensor of the gradient's working dtype.
    """
    if norm is None:
        norm = global_norm([gradient])
    dtype = working_dtype_of(gradient)
    factor = ops.cast(clip_factor(norm, threshold), dtype)
    return ops.cast(gradient, dtype) * factor


def clip_by_value(gradient, threshold):
    """Returns `min(1, threshold / |g_i|) · g_i` for every coordinate.

    Args:
        gradient: Dense tensor.
        threshold: Positive number or tensor that broadcasts to the gradient.

    Returns:
        Tensor like `gradient`; NaN where it is NaN or infinite.
    """
    # That is to stay within ±threshold, and costs no division.
    clipped = ops.minimum(ops.maximum(gradient, -threshold), threshold)
    return ops.where(ops.isfinite(gradient), clipped, math.nan)


def _half_square_sum(gradient):
    """Returns `Σ g²/2`, on TensorFlow by the kernel that runs at read speed.

    `reduce_sum(square(g))` takes twice as long there (tensorflow 2.20.0, CPU).
    """
    gradient = ops.cast(gradient, working_dtype_of(gradient))
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.nn.l2_loss(gradient)
    return 0.5 * ops.sum(ops.square(gradient))


def _densify_rows(gradient):
    import tensorflow as tf

    if not isinstance(gradient, tf.IndexedSlices):
        return gradient
    rows = tf.get_static_value(gradient.dense_shape)
    return tf.math.unsorted_segment_sum(
        tf.cast(gradient.values, working_dtype_of(gradient)),
        gradient.indices,
        gradient.dense_shape[0] if rows is None else rows[0],
    )
