"""Thresholds that follow norms: what they keep, and what is set of them."""

import numpy as np
import pytest

from tests.support.enrolment.record import Adaptive
from tests.support.front_ends import KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.trajectories import same_bits


def _moment(optimizer):
    (moment,) = (
        KERAS.value(variable)
        for variable in optimizer.variables
        if "threshold_moment" in variable.name
    )
    return moment


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize("clipping", ["layer", "coordinate"])
def test_variable_without_a_gradient_keeps_its_moment(clipping):
    """So does one whose gradient is bad; the others' go on."""
    optimizer = KERAS.optimizer(
        "clip_adam",
        learning_rate=0.125,
        clipping=clipping,
        clip_threshold=Adaptive(0.5, 0.5, 1.0),
    )
    variables = KERAS.variables(parameters(), "float64")
    first, second, third = heavy_tailed_gradients(steps=3)
    KERAS.apply(optimizer, first, variables)
    norms = [np.linalg.norm(g) for g in first]
    expected = np.array(norms) / 2
    np.testing.assert_allclose(_moment(optimizer), expected)

    KERAS.apply(optimizer, [second[0], None, second[2]], variables)
    expected[0] = (expected[0] + np.linalg.norm(second[0])) / 2
    expected[2] = (expected[2] + np.linalg.norm(second[2])) / 2
    np.testing.assert_allclose(_moment(optimizer), expected)

    third[2] = np.array(np.nan)
    KERAS.apply(optimizer, third, variables)
    expected[0] = (expected[0] + np.linalg.norm(third[0])) / 2
    expected[1] = (expected[1] + np.linalg.norm(third[1])) / 2
    np.testing.assert_allclose(_moment(optimizer), expected)


def test_a_spike_hardly_raises_the_threshold_of_clipped_norms():
    """A norm a thousand times the usual, of 1; β = .99 and c = 2.

    Of the raw norm the moment is .99 + .01 · 1,000 = 10.99, of the clipped one
    .99 + .01 · 2 = 1.01.
    """
    after = {}
    for of in ("raw", "clipped"):
        threshold = Adaptive(2.0, 0.99, 1.0, of)
        optimizer = KERAS.optimizer("gclip", clip_threshold=threshold)
        (x,) = KERAS.variables([np.zeros(1)])
        for norm in [1.0] * 600 + [1000.0, 1.0]:
            KERAS.apply(optimizer, [np.array([norm])], [x])
        after[of] = optimizer.last_threshold
    np.testing.assert_allclose(after["raw"], 2 * 10.9, rtol=0.01)
    # The threshold of the last update is of the moment after the spike.
    np.testing.assert_allclose(after["clipped"], 2 * 1.01, rtol=1e-4)


def test_norms_that_have_grown_are_followed_as_fast_as_the_docstring_says():
    """From 1 to 10 at β = .9, c = 2 and α = 1: about 23 updates."""
    threshold = Adaptive(2.0, 0.9, 1.0, "clipped", 5)
    optimizer = KERAS.optimizer("gclip", clip_threshold=threshold)
    (x,) = KERAS.variables([np.zeros(1)])
    for _ in range(5):
        KERAS.apply(optimizer, [np.array([1.0])], [x])
    updates = 0
    while updates < 100 and optimizer.last_threshold < 10 or not updates:
        KERAS.apply(optimizer, [np.array([10.0])], [x])
        updates += 1
    assert np.log(5) / 0.1 < updates < np.log(10) / 0.09


@pytest.mark.parametrize("reason", ["skipped", "warm-up"])
def test_skipped_step_changes_nothing_of_the_clipped_moment(reason):
    optimizer = KERAS.optimizer(
        "gclip", clip_threshold=Adaptive(2.0, 0.5, 1.0, "clipped", 2)
    )
    (x,) = KERAS.variables([np.zeros(1)])
    for norm in [4.0] * (1 if reason == "warm-up" else 3):
        KERAS.apply(optimizer, [np.array([norm])], [x])
    without = ("skipped_steps", "skipped_in_a_row", "gradient_norm")
    without = (*without, "gradient_norms", "iterations")
    before = KERAS.state(optimizer, without)
    KERAS.apply(optimizer, [np.array([np.inf])], [x])
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
    optimizer = KERAS.optimizer("gclip", clip_threshold=first)
    (x,) = KERAS.variables([np.zeros(1)])
    for threshold in (first, second):
        optimizer.clip_threshold = threshold.threshold()
        for _ in range(20):
            KERAS.apply(optimizer, [np.array([norm])], [x])
            expected = threshold.multiplier * norm
            if np.isfinite(optimizer.last_threshold):
                np.testing.assert_allclose(
                    optimizer.last_threshold, expected, rtol=1e-3
                )
    assert np.isfinite(optimizer.last_threshold)


@pytest.mark.parametrize("of", ["raw", "clipped"])
def test_multiplier_that_is_set_leaves_the_moments_as_they_are(of):
    optimizer = KERAS.optimizer(
        "clip_adam",
        clipping="layer",
        clip_threshold=Adaptive(2.0, 0.9, 1.5, of),
    )
    variables = KERAS.variables(parameters())
    for gradient in heavy_tailed_gradients(steps=3):
        KERAS.apply(optimizer, gradient, variables)
    before = _moments(optimizer)
    optimizer.clip_threshold = Adaptive(4.0, 0.9, 1.5, of).threshold()
    assert len(before) == (2 if of == "clipped" else 1)
    assert same_bits(_moments(optimizer), before)


def _moments(optimizer):
    return [
        KERAS.value(variable)
        for variable in optimizer.variables
        if "threshold_moment" in variable.name
    ]
