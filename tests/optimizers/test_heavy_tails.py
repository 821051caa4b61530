"""Convergence under noise without variance, where nothing unclipped converges.

Twenty seeds. Without clipping, every learning rate of a grid has its chance.
"""

import numpy as np
import pytest

from tests.support import heavy_tails
from tests.support.enrolment import ENROLMENTS
from tests.support.heavy_tails import CASES
from tests.support.programs.launch import results_of

pytestmark = pytest.mark.slow

START = heavy_tails.height(heavy_tails.start())

every_case = pytest.mark.parametrize("key", CASES)


@pytest.fixture(scope="module")
def heights():
    """Heights of the quadratic at the end, of shape (learning rates, seeds)."""
    return {
        key: np.where(np.isfinite(array), array, np.inf)
        for key, array in results_of("heavy_tails", backend="jax").items()
    }


def _best_median(array):
    return np.min(np.median(array, axis=1))


def _best_worst(array):
    return np.min(np.max(array, axis=1))


def test_noise_is_symmetric_and_stable():
    """Its characteristic function is known, unlike its density."""
    noise = heavy_tails.stable_noise().ravel() / heavy_tails.SCALE
    for t in (0.25, 0.5, 1.0, 2.0):
        expected = np.exp(-(t**heavy_tails.ALPHA))
        assert abs(np.mean(np.exp(1j * t * noise)) - expected) < 0.003


def test_every_optimizer_is_put_to_the_test():
    assert {name for name, _ in CASES.values()} == set(ENROLMENTS)
    cases = [key for e in ENROLMENTS.values() for key in e.heavy_tails]
    assert len(cases) == len(CASES)


@every_case
def test_with_clipping_the_worst_seed_comes_down_to_a_fiftieth(heights, key):
    (ends,) = heights[f"{key}, clipped"]
    assert len(ends) == heavy_tails.SEEDS
    assert ends.max() < START / 50


@every_case
def test_worst_seed_with_clipping_ends_below_the_best_without_at_any_rate(
    heights, key
):
    clipped = heights[f"{key}, clipped"]
    unclipped = heights[f"{key}, unclipped"]
    assert unclipped.shape == (len(heavy_tails.RATES), heavy_tails.SEEDS)
    assert 2 * clipped.max() < unclipped.min()


@pytest.mark.parametrize("key", ["gclip", "cclip", "gclip, momentum"])
def test_sgd_at_its_best_rate_throws_some_seed_further_off_than_it_began(
    heights, key
):
    ends = heights[f"{key}, unclipped"]
    best = np.argmin(np.median(ends, axis=1))
    assert np.median(ends[best]) > START / 5
    assert ends[best].max() > 5 * START


@pytest.mark.parametrize("key", ["clip_adagrad", "clip_adagrad_norm"])
def test_one_large_gradient_stops_adagrad_for_good_unless_clipped(heights, key):
    assert heights[f"{key}, clipped spike"].max() < 1e-9 * START
    assert heights[f"{key}, unclipped spike"].min() > 0.1 * START


def test_acclip_ends_a_quarter_below_adam_each_at_its_best_rate(heights):
    """Adam divides a large gradient by itself: it is slow but does not fail."""
    clipped, adam = heights["acclip, clipped"], heights["Adam"]
    assert _best_median(clipped) < 0.75 * _best_median(adam)
    assert _best_worst(clipped) < 0.75 * _best_worst(adam)


def test_acclip_without_scaling_gains_on_sgd_but_does_not_converge(heights):
    """It clips the momentum, which holds a large gradient for many steps."""
    acclip = heights["ACClip without scaling"]
    sgd = heights["acclip, unclipped"]
    assert _best_median(acclip) < 0.5 * _best_median(sgd)
    assert START / 50 < _best_worst(acclip) < 0.5 * _best_worst(sgd)
