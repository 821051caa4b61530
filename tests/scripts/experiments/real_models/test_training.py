"""A run's schedule, spikes and curve are as they are said to be."""

import numpy as np

from experiments.real_models import training


def test_the_rate_rises_over_the_warm_up_and_falls_to_nothing():
    shares = [training.schedule(step, 100, 0.1) for step in range(1, 101)]
    assert np.allclose(shares[:10], np.arange(1, 11) / 10)
    assert shares[9] == 1
    assert np.allclose(np.diff(shares[9:]), -1 / 91)
    assert np.isclose(shares[-1], 1 / 91)
    assert np.isclose(training.schedule(1, 10, 0.0), 10 / 11)


def test_a_jump_of_the_loss_is_a_spike_and_noise_is_none():
    losses = 2 + 0.1 * np.random.default_rng(0).uniform(-1, 1, 400)
    assert training.spikes(losses.tolist()) == 0
    losses[[100, 300]] = 3.0, np.nan
    # What comes within the window of a loss that is not finite has no bound.
    assert training.spikes(losses[:300].tolist()) == 1
    assert training.spikes(losses.tolist()) > 2


def test_a_curve_has_the_mean_loss_of_each_part():
    curve = training._curve(np.arange(1.0, 121.0))
    assert curve["step"] == list(range(2, 121, 2))
    assert curve["loss"] == [1.5 + 2 * part for part in range(60)]
    assert training._curve([3.0, 1.0]) == {"step": [1, 2], "loss": [3.0, 1.0]}
