"""In float16 every mini-batch is a sample, at a scale where it is finite."""

import keras
import numpy as np
import pytest

from keras_clip import noise
from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.noise_problems import batches_of
from tests.support.noise_problems import data
from tests.support.noise_problems import gradient
from tests.support.noise_problems import linear_model
from tests.support.noise_problems import noise_norms
from tests.support.noise_problems import norm
from tests.support.noise_problems import sample
from tests.support.programs.launch import result_of
from tests.support.programs.noise import samples_in_float16
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow


def _model(front_end, scale=None, policy="mixed_float16"):
    """Returns the linear model, with a loss scale or without."""
    optimizer = front_end.framework.optimizers.SGD()
    if scale is not None:
        optimizer = front_end.scaled(optimizer, scale)
    return linear_model(front_end, policy=policy, optimizer=optimizer)


def _heavy(size, of_inputs=1.0):
    """Targets with heavy tails, below what float16 holds; and inputs."""
    x, y = data(size)
    y = 30 * np.random.default_rng(3).standard_t(1.5, size=y.shape)
    return of_inputs * x, y.astype("float32")


@both_front_ends
# None: the optimizer has no scale, as where layers alone are in float16.
@pytest.mark.parametrize(("scale", "of_inputs"), [(2.0**15, 1), (None, 100)])
def test_no_mini_batch_is_left_out(front_end, scale, of_inputs):
    x, y = _heavy(800, of_inputs)
    batches = batches_of(x, y, 4)
    samples = sample(_model(front_end, scale), batches, num_samples=200)
    assert len(samples) == 200 and not samples.caveats and samples.exact
    expected = noise_norms(batches, x, y)
    np.testing.assert_allclose(samples.noise_norms, expected, rtol=0.02)
    np.testing.assert_allclose(
        samples.full_gradient_norm, norm(gradient(x, y)), rtol=0.01
    )


def test_the_verdict_is_that_in_float32():
    batches = batches_of(*_heavy(4000), 4)
    single, half = (
        noise.report(sample(_model(KERAS, scale, policy), batches))
        for scale, policy in ((None, "float32"), (2.0**15, "mixed_float16"))
    )
    assert single.verdict == half.verdict == "heavy-tailed"
    assert half.tail_index.alpha == pytest.approx(
        single.tail_index.alpha, rel=0.02
    )
    assert list(half.suggestions) == list(single.suggestions)


@both_front_ends
def test_small_gradients_between_large_ones_do_not_vanish(front_end):
    """At a scale for the large ones those of the small ones would be 0."""
    x, y = data(80)
    x, y = x.astype("float16").astype("float32"), np.zeros_like(y)
    x[8:] *= 2.0**-12
    y[:8] = 6e4
    model = _model(front_end, 2.0**15)
    kernel, _ = model.get_weights()
    model.set_weights([kernel, np.zeros(2)])
    batches = batches_of(x, y) * 3
    samples = sample(model, batches, num_samples=30)
    single = _model(front_end, policy="float32")
    single.set_weights(model.get_weights())
    expected = sample(single, batches, num_samples=30)
    np.testing.assert_allclose(
        samples.gradient_norms, expected.gradient_norms, rtol=0.01
    )
    assert np.ptp(np.log2(expected.gradient_norms)) > 30


@both_front_ends
def test_the_loss_scale_stays_as_training_has_left_it(front_end):
    x, y = _heavy(80)
    model = _model(front_end, 2.0**15)
    model.fit(x, y, batch_size=4, verbose=0)
    optimizer = model.optimizer

    def everything():
        scale = (
            [optimizer.dynamic_scale, optimizer.step_counter]
            if front_end is KERAS
            else [optimizer.loss_scale, optimizer.dynamic_counter]
        )
        weights = [np.array(value) for value in model.get_weights()]
        return [
            *(np.array(front_end.value(value)) for value in scale),
            *(weights + front_end.state(optimizer)),
        ]

    before, attributes = everything(), set(vars(optimizer))
    flags = {
        name: value
        for name, value in vars(optimizer).items()
        if isinstance(value, bool)
    }
    samples = sample(model, batches_of(x * 100, y, 4))
    assert len(samples) == 20
    assert same_bits(everything(), before)
    assert set(vars(optimizer)) == attributes
    assert flags.items() <= vars(optimizer).items()


@both_front_ends
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_bad_data_are_left_out_and_cost_the_others_nothing(front_end, bad):
    x, y = _heavy(800)
    y[9] = bad
    batches = batches_of(x, y, 8)
    samples = sample(_model(front_end, 2.0**15), batches, num_samples=100)
    assert samples.num_nonfinite == samples.full_gradient_nonfinite == 1
    assert samples.num_censored == 0
    good = np.r_[0:8, 16:800]
    x, y = x[good], y[good]
    expected = noise_norms(batches_of(x, y), x, y)
    np.testing.assert_allclose(
        samples.noise_norms, expected, rtol=0.01, atol=1.0
    )
    report = noise.report(samples)
    assert report.tail_index is not None and len(report.suggestions) == 5


@both_front_ends
def test_samples_without_the_largest_have_no_verdict(front_end):
    x, y = _heavy(800)
    y[::100] *= 1e12 if front_end is KERAS else 1e3
    x[::100] *= 1 if front_end is KERAS else 6e4
    batches = batches_of(x, y, 4)
    samples = sample(_model(front_end, 2.0**15), batches, num_samples=200)
    assert samples.num_nonfinite == samples.num_censored == 8
    report = noise.report(samples)
    assert report.verdict == "unknown" and report.tail_index is None
    assert "may be the largest" in " ".join(report.caveats)


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_a_retry_draws_the_same_mask(backend):
    """Else the masks that make a gradient large would not count."""
    # At the smaller scale nothing overflows, at the larger one most batches.
    scales = (2.0**-7, 2.0**15)
    small, large = result_of(samples_in_float16, scales, backend=backend)
    assert len(small) == len(large) == 100 and large.is_random
    size = np.max(small.noise_norms)
    np.testing.assert_allclose(
        large.noise_norms, small.noise_norms, rtol=0.01, atol=1e-4 * size
    )


def test_a_scale_is_no_reason_to_trace_anew():
    class Counting(keras.layers.Layer):
        calls = 0

        def call(self, x):
            Counting.calls += 1
            return x

    model = keras.Sequential(
        [
            keras.layers.Input((3,), dtype="float32"),
            Counting(),
            keras.layers.Dense(2, dtype="mixed_float16"),
        ]
    )
    model.compile(
        keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD()), "mse"
    )
    counts = []
    for of_inputs in (1e-3, 1.0):
        before = Counting.calls
        x, y = _heavy(400, of_inputs)
        sample(model, batches_of(x, y, 4), num_samples=100)
        counts.append(Counting.calls - before)
    # Once to build it, and once for each pass.
    assert counts == [3, 3]
