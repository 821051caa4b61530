"""Sparse gradients become dense, duplicate rows summed."""

import numpy as np
import tensorflow as tf

from keras_clip.sparse_gradients import densify


def _slices(values, indices, rows, dtype="float32"):
    values = tf.constant(values, dtype)
    shape = tf.constant([rows, *values.shape[1:]])
    return tf.IndexedSlices(values, tf.constant(indices), shape)


def test_densify_sums_duplicate_rows():
    slices = _slices([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [2, 0, 2], 4)
    np.testing.assert_array_equal(
        densify(slices), [[3, 4], [0, 0], [6, 8], [0, 0]]
    )


def test_densify_sums_float16_rows_in_float32():
    dense = densify(_slices([[60000.0], [60000.0]], [0, 0], 2, "half"))
    assert dense.dtype == "float32"
    np.testing.assert_allclose(dense, [[120000.0], [0.0]], rtol=1e-3)


def test_densify_keeps_the_static_shape_of_the_rows():
    dense = tf.function(lambda slices: densify(slices)).get_concrete_function(
        _slices([[1.0, 2.0]], [1], 3)
    )
    np.testing.assert_array_equal(
        dense(_slices([[1.0, 2.0]], [1], 3)), [[0, 0], [1, 2], [0, 0]]
    )


def test_densify_returns_a_dense_gradient_itself():
    gradient = tf.constant([1.0])
    assert densify(gradient) is gradient
