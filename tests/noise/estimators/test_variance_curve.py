"""The variance curve, by hand and by loops."""

import numpy as np
import pytest

from keras_clip.noise import variance_curve
from tests.support.refusals import refused


def test_variance_is_the_mean_square_of_the_first_norms():
    curve = variance_curve([1.0, 3.0, 0.0, 2.0])
    np.testing.assert_array_equal(curve.num_samples, [1, 2, 3, 4])
    np.testing.assert_allclose(curve.variance, [1, 5, 10 / 3, 3.5])


def test_band_of_one_order_is_its_curve():
    norms = np.arange(1.0, 11.0)
    curve = variance_curve(norms, orders=1, seed=3)
    order = np.random.default_rng(3).permutation(norms)
    expected = [np.mean(order[:n] ** 2) for n in curve.num_samples]
    np.testing.assert_allclose(curve.low, expected)
    np.testing.assert_allclose(curve.high, expected)


def test_band_holds_four_fifths_of_the_orders():
    norms = np.random.default_rng(1).exponential(size=2000)
    curve = variance_curve(norms, orders=400)
    others = np.random.default_rng(2)
    inside = []
    for _ in range(400):
        again = variance_curve(others.permutation(norms), orders=1).variance
        inside.append((curve.low <= again) & (again <= curve.high))
    shares = np.mean(inside, axis=0)[1:-1]
    # Two quantiles of 400 and a share of 400: 0.02 each.
    np.testing.assert_allclose(shares, 0.8, atol=0.1)
    assert np.mean(shares) == pytest.approx(0.8, abs=0.03)


def test_band_closes_at_the_last_number_of_samples():
    norms = np.random.default_rng(3).pareto(1.2, 300)
    curve = variance_curve(norms, points=20)
    assert curve.num_samples[[0, -1]].tolist() == [1, 300]
    assert len(curve.num_samples) <= 20
    assert np.all(np.diff(curve.num_samples) > 0)
    total = np.mean(norms**2)
    for array in (curve.variance, curve.low, curve.high):
        assert array[-1] == pytest.approx(total, rel=1e-12)


def test_seed_alone_determines_the_band():
    norms = np.random.default_rng(4).exponential(size=50)
    state = np.random.get_state()[1].copy()
    first, second, third = (variance_curve(norms, seed=s) for s in (0, 0, 1))
    np.testing.assert_array_equal(first.low, second.low)
    assert np.any(first.low != third.low)
    np.testing.assert_array_equal(first.variance, third.variance)
    np.testing.assert_array_equal(np.random.get_state()[1], state)


@pytest.mark.parametrize(
    ("argument", "value", "low"),
    [
        ("orders", 0, 1),
        ("orders", 2.0, 1),
        ("seed", -1, 0),
        ("seed", None, 0),
        ("points", 1, 2),
    ],
)
def test_bad_argument_is_refused(argument, value, low):
    with refused(
        f"`{argument}` must be an integer in [{low}, inf). "
        f"Received: {argument}={value!r}"
    ):
        variance_curve([1.0, 2.0], **{argument: value})
