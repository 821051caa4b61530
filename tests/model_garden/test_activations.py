"""The exact GELU: its values, and its name in Model Garden's configs."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from official.modeling import activations
from official.modeling import tf_utils
from scipy import special

from keras_clip.model_garden import gelu

X = np.linspace(-10, 10, 4001, dtype=np.float32)


def exact(x):
    x = np.float64(x)
    return x * (1 + special.erf(x / np.sqrt(2))) / 2


def test_it_is_the_formula_with_erf_to_the_rounding_of_float32():
    error = np.abs(gelu(tf.constant(X)) - exact(X))
    # Half of x is rounded, and one plus erf, which is near 0 far below 0.
    assert np.all(error <= 4 * np.finfo(np.float32).eps * np.abs(X))


def test_it_is_found_by_name():
    for found in (
        tf_utils.get_activation("keras_clip>gelu"),
        tf_keras.activations.get("keras_clip>gelu"),
    ):
        assert found is gelu


def test_a_layer_with_it_is_made_again_from_its_config():
    layer = tf_keras.layers.Dense(2, activation="keras_clip>gelu")
    again = tf_keras.layers.Dense.from_config(layer.get_config())
    assert again.activation is gelu


def test_that_of_model_garden_is_an_approximation():
    for found in (activations.gelu, tf_utils.get_activation("gelu")):
        difference = np.max(np.abs(found(tf.constant(X)) - exact(X)))
        assert difference == pytest.approx(4.7e-4, rel=0.02)


def test_it_keeps_the_shape_and_the_type():
    for dtype in (tf.float16, tf.bfloat16, tf.float32, tf.float64):
        result = gelu(tf.zeros((2, 0, 3), dtype))
        assert result.shape == (2, 0, 3) and result.dtype == dtype
