"""Makes sparse gradients dense, with their duplicate rows summed."""

from collections.abc import Sequence

import keras

from keras_clip.clipping import Tensor
from keras_clip.clipping import working_dtype_of


def densify(gradient: Tensor, shape: Sequence[int] | None = None) -> Tensor:
    """Returns a gradient as a dense tensor, duplicate rows summed.

    Keras never merges the duplicate rows of `tf.IndexedSlices`
    (keras/src/optimizers/base_optimizer.py, 3.15.1), which makes every
    non-linear update wrong.

    Args:
        gradient: Dense tensor; on TensorFlow also `tf.IndexedSlices`, as
            embedding layers produce, on JAX an array of
            `jax.experimental.sparse`, on torch a tensor of any layout.
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


def with_dense_shape(gradient: Tensor, shape: Sequence[int] | None) -> Tensor:
    """Returns a TensorFlow gradient, with a dense shape if it lacks one.

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
