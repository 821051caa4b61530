"""Thresholds that follow norms: what they keep, and what is set of them."""

import numpy as np
import pytest

from tests.support.enrolment.record import Adaptive
from tests.support.front_ends import KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.trajectories import same_bits
from tests.support.trajectories import stepped


def _moments(optimizer):
    return [
        KERAS.value(variable)
        for variable in optimizer.variables
        if "threshold_moment" in variable.name
    ]


def _of_norms(threshold, norms):
    """Returns an optimizer after steps by gradients of some norms."""
    gradients = [[np.array([norm])] for norm in norms]
    arguments = {"clip_threshold": threshold}
    return stepped(KERAS, "gclip", arguments, gradients, [np.zeros(1)])


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize("clipping", ["layer", "coordinate"])
def test_variable_without_a_gradient_keeps_its_moment(clipping):
    """So does one whose gradient is bad; the others' go on."""
    arguments = {
        "learning_rate": 0.125,
        "clipping": clipping,
        "clip_threshold": Adaptive(0.5, 0.5, 1.0),
    }
    optimizer, variables = stepped(
        KERAS, "clip_adam", arguments, [], dtype="float64"
    )
    gradients = heavy_tailed_gradients(steps=3)
    gradients[1][1] = None
    gradients[2][2] = np.array(np.nan)
    expected = np.zeros(3)
    moves = ([0, 1, 2], [0, 2], [0, 1])
    for step, moving in zip(gradients, moves, strict=True):
        KERAS.apply(optimizer, step, variables)
        norms = [np.linalg.norm(step[index]) for index in moving]
        expected[moving] = (expected[moving] + norms) / 2
        np.testing.assert_allclose(_moments(optimizer), [expected])


def test_a_spike_hardly_raises_the_threshold_of_clipped_norms():
    """A norm a thousand times the usual, of 1; β = .9 and c = 2.

    Of the raw norm the moment is .9 + .1 · 1,000 = 100.9, of the clipped one
    .9 + .1 · 2 = 1.1.
    """
    after = {}
    for of in ("raw", "clipped"):
        threshold = Adaptive(2.0, 0.9, 1.0, of)
        optimizer, _ = _of_norms(threshold, [1.0] * 60 + [1000.0, 1.0])
        after[of] = optimizer.last_threshold
    np.testing.assert_allclose(after["raw"], 2 * 90.9, rtol=0.01)
    # The threshold of the last update is of the moment after the spike.
    np.testing.assert_allclose(after["clipped"], 2 * 1.1, rtol=1e-4)


def test_norms_that_have_grown_are_followed_as_fast_as_the_docstring_says():
    """From 1 to 10 at β = .9, c = 2 and α = 1: about 23 updates."""
    threshold = Adaptive(2.0, 0.9, 1.0, "clipped", 5)
    optimizer, variables = _of_norms(threshold, [1.0] * 5)
    updates = 0
    while updates < 100 and optimizer.last_threshold < 10 or not updates:
        KERAS.apply(optimizer, [np.array([10.0])], variables)
        updates += 1
    assert np.log(5) / 0.1 < updates < np.log(10) / 0.09


@pytest.mark.parametrize("reason", ["skipped", "warm-up"])
def test_skipped_step_changes_nothing_of_the_clipped_moment(reason):
    threshold = Adaptive(2.0, 0.5, 1.0, "clipped", 2)
    norms = [4.0] * (1 if reason == "warm-up" else 3)
    optimizer, variables = _of_norms(threshold, norms)
    without = ("skipped_steps", "skipped_in_a_row", "gradient_norm")
    without = (*without, "gradient_norms", "iterations")
    before = KERAS.state(optimizer, without)
    KERAS.apply(optimizer, [np.array([np.inf])], variables)
    assert same_bits(KERAS.state(optimizer, without), before)


@pytest.mark.parametrize(
    ("first", "second", "norm"),
    [
        (Adaptive(1.0, 0.9), Adaptive(1.0, 0.999), 1.0),
        (Adaptive(1.0, 0.999), Adaptive(1.0, 0.9), 1.0),
        (Adaptive(1.5, 0.99, 1.0), Adaptive(1.5, 0.99, 2.0), 0.005),
        (
            Adaptive(1.5, 0.99, 1.0, "clipped", 5),
            Adaptive(1.5, 0.9, 2.0, "clipped", 5),
            0.005,
        ),
    ],
    ids=str,
)
def test_threshold_that_is_set_knows_of_the_norms_before(first, second, norm):
    """Of norms that are always the same, the threshold stays a multiple."""
    optimizer, variables = _of_norms(first, [])
    for threshold in (first, second):
        optimizer.clip_threshold = threshold.threshold()
        for _ in range(20):
            KERAS.apply(optimizer, [np.array([norm])], variables)
            expected = threshold.multiplier * norm
            if np.isfinite(optimizer.last_threshold):
                np.testing.assert_allclose(
                    optimizer.last_threshold, expected, rtol=1e-3
                )
    assert np.isfinite(optimizer.last_threshold)


@pytest.mark.parametrize("of", ["raw", "clipped"])
def test_multiplier_that_is_set_leaves_the_moments_as_they_are(of):
    threshold = Adaptive(2.0, 0.9, 1.5, of)
    arguments = {"clipping": "layer", "clip_threshold": threshold}
    gradients = heavy_tailed_gradients(steps=3)
    optimizer, _ = stepped(KERAS, "clip_adam", arguments, gradients)
    before = _moments(optimizer)
    optimizer.clip_threshold = Adaptive(4.0, 0.9, 1.5, of).threshold()
    assert len(before) == (2 if of == "clipped" else 1)
    assert same_bits(_moments(optimizer), before)
