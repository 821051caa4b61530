"""The clipping operators, on their own."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from keras_clip import clipping

NAN, INF = float("nan"), float("inf")


def _tensor(values, dtype="float32"):
    return ops.convert_to_tensor(values, dtype=dtype)


@pytest.mark.parametrize(
    ("dtype", "working"),
    [
        ("float16", "float32"),
        ("bfloat16", "float32"),
        ("float32", "float32"),
        ("float64", "float64"),
    ],
)
def test_half_precision_is_worked_with_in_float32(dtype, working):
    for value in (
        _tensor([1.0], dtype),
        keras.Variable([1.0], dtype=dtype),
        tf.Variable([1.0], dtype=dtype),
    ):
        assert clipping.working_dtype_of(value) == working


def test_global_norm_is_over_all_elements_of_all_gradients():
    gradients = [_tensor([[1.0, -2.0], [2.0, 4.0]]), _tensor(12.0)]
    assert float(clipping.global_norm(gradients)) == 13.0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_global_norm_of_half_precision_does_not_overflow(dtype):
    norm = clipping.global_norm([_tensor([300.0] * 4, dtype)])
    assert norm.dtype == "float32"
    np.testing.assert_allclose(float(norm), 600.0, rtol=4e-3)


def test_global_norm_of_float16_is_that_of_its_values():
    norm = clipping.global_norm([_tensor([300.0] * 4, "float16")])
    assert float(norm) == 600.0


def test_global_norm_with_a_float64_gradient_is_in_float64():
    values = np.array([1.0, 1e-9])
    norm = clipping.global_norm([_tensor(values, "float64"), _tensor([0.0])])
    assert norm.dtype == "float64"
    assert float(norm) == np.linalg.norm(values)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_global_norm_equals_numpy(dtype):
    rng = np.random.default_rng(0)
    gradients = [rng.normal(size=shape) for shape in ((30, 40), (7,), ())]
    norm = clipping.global_norm([_tensor(g, dtype) for g in gradients])
    expected = np.linalg.norm(np.concatenate([g.ravel() for g in gradients]))
    rtol = {"float32": 1e-6, "float64": 1e-14}[dtype]
    np.testing.assert_allclose(float(norm), expected, rtol=rtol)


@pytest.mark.parametrize("shape", [(3,), (0,), ()])
def test_global_norm_of_nothing_is_zero(shape):
    assert float(clipping.global_norm([ops.zeros(shape)])) == 0.0


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_global_norm_of_a_bad_gradient_is_not_finite(bad):
    norm = clipping.global_norm([_tensor([1.0, bad]), _tensor([1.0])])
    assert not np.isfinite(float(norm))


@pytest.mark.parametrize(
    ("norm", "factor"),
    [(0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (4.0, 0.5), (1e38, 2e-38)],
)
def test_clip_factor_is_one_up_to_the_threshold(norm, factor):
    actual = float(clipping.clip_factor(_tensor(norm), 2.0))
    np.testing.assert_allclose(actual, factor, rtol=1e-6)


@pytest.mark.parametrize("bad", [NAN, INF])
def test_clip_factor_of_a_bad_norm_is_nan(bad):
    assert np.isnan(float(clipping.clip_factor(_tensor(bad), 2.0)))


def test_clip_by_norm_shortens_to_the_threshold_and_keeps_the_direction():
    g = np.array([[3.0, 0.0], [0.0, -4.0]])
    np.testing.assert_allclose(
        clipping.clip_by_norm(_tensor(g), 1.0), g / 5, rtol=1e-6
    )


def test_clip_by_norm_leaves_a_short_gradient_as_it_is():
    g = np.array([0.3, -0.4], "float32")
    np.testing.assert_array_equal(clipping.clip_by_norm(_tensor(g), 1.0), g)
    zero = clipping.clip_by_norm(ops.zeros((2,)), 1.0)
    np.testing.assert_array_equal(zero, [0, 0])


def test_clip_by_norm_takes_a_norm_that_is_not_the_gradients_own():
    clipped = clipping.clip_by_norm(_tensor([3.0, 4.0]), 1.0, _tensor(10.0))
    np.testing.assert_allclose(clipped, [0.3, 0.4], rtol=1e-6)


def test_clip_by_norm_of_half_precision_is_in_float32():
    clipped = clipping.clip_by_norm(_tensor([300.0] * 4, "float16"), 6.0)
    assert clipped.dtype == "float32"
    np.testing.assert_allclose(clipped, [3.0] * 4, rtol=1e-6)


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_clip_by_norm_of_a_bad_gradient_is_nan_everywhere(bad):
    clipped = clipping.clip_by_norm(_tensor([1.0, bad, 2.0]), 1.0)
    assert np.isnan(clipped).all()


def test_clip_by_value_clips_each_coordinate_at_its_size():
    g = [0.0, 1.0, -1.0, 2.0, -8.0]
    clipped = clipping.clip_by_value(_tensor(g), 2.0)
    np.testing.assert_array_equal(clipped, [0, 1, -1, 2, -2])


def test_clip_by_value_makes_bad_coordinates_nan_and_no_others():
    clipped = clipping.clip_by_value(_tensor([NAN, INF, -INF, 3.0, 0.5]), 1.0)
    np.testing.assert_array_equal(clipped, [NAN, NAN, NAN, 1.0, 0.5])


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("threshold", [NAN, [NAN, 1.0, NAN]], ids=str)
def test_clip_by_value_at_nan_is_nan_under_xla_too(threshold, jit_compile):
    clip = tf.function(clipping.clip_by_value, jit_compile=jit_compile)
    clipped = clip(_tensor([0.5, 2.0, -2.0]), _tensor(threshold))
    expected = np.where(np.isnan(threshold), NAN, [0.5, 1.0, -1.0])
    np.testing.assert_array_equal(clipped, expected)
