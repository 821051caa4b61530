"""Suggested thresholds are those of their rules, ready for an optimizer."""

import numpy as np
import pytest

import keras_clip
from keras_clip import noise
from keras_clip.noise.reports.early import is_early
from keras_clip.thresholds import AdaptiveThreshold
from keras_clip.thresholds import PolynomialThreshold
from tests.support.front_ends import KERAS
from tests.support.noise_problems import data
from tests.support.noise_problems import linear_model
from tests.support.noise_problems import make_samples
from tests.support.noise_problems import sample

NOISE = np.array([1.0, 2.0, 4.0, 9.0, 30.0])
GRADIENTS = np.array([2.0, 3.0, 5.0, 8.0, 31.0])


def _samples(noise_norms=NOISE, gradient_norms=GRADIENTS, **fields):
    return make_samples(noise_norms, gradient_norms=gradient_norms, **fields)


def _sigma(alpha):
    return np.mean(NOISE**alpha) ** (1 / alpha)


def test_the_quantile_rule_clips_that_share_of_the_steps():
    for quantile in (0.5, 0.75):
        found = noise.suggest(_samples(), 1.5, quantile=quantile)
        threshold = found["quantile"].clip_threshold
        assert threshold == np.quantile(GRADIENTS, quantile)
        assert np.mean(GRADIENTS > threshold) == pytest.approx(
            1 - quantile, abs=0.2
        )


def test_the_adaptive_rule_is_the_quantile_where_the_noise_was_sampled():
    found = noise.suggest(_samples(), 1.5, quantile=0.75)
    threshold = found["adaptive"].clip_threshold
    assert isinstance(threshold, AdaptiveThreshold)
    np.testing.assert_allclose(
        threshold.scale * np.mean(GRADIENTS), 8.0, rtol=1e-3
    )


def _clipped_share(norms, threshold):
    """The share of norms that a threshold of the clipped ones clips, late."""
    moment, clipped = np.mean(norms[:25]), 0
    for norm in norms[25:]:
        at = threshold.scale * moment
        clipped += norm > at
        moment = 0.99 * moment + 0.01 * min(norm, at)
    return clipped / len(norms[25:])


@pytest.mark.parametrize("quantile", [0.8, 0.95])
@pytest.mark.parametrize("index", [1.1, 1.5, 3.0])
def test_the_multiple_of_clipped_norms_clips_that_share_however_heavy(
    index, quantile
):
    norms = np.random.default_rng(0).pareto(index, 10_000) + 1
    found = noise.suggest(_samples(norms, norms), 1.5, quantile=quantile)
    threshold = found["adaptive clipped"].clip_threshold
    assert threshold.of == "clipped"
    share = _clipped_share(norms, threshold)
    assert share == pytest.approx(1 - quantile, abs=0.02)


def test_a_multiple_of_clipped_norms_that_would_be_one_is_left_out():
    """It is refused, for such a threshold could only fall."""
    norms = np.array([1.0, 1.0, 1.0, 1.0, 30.0])
    found = noise.suggest(_samples(norms, norms), None, quantile=0.5)
    assert list(found) == ["adaptive", "quantile"]
    layers = _samples(layers=np.stack([norms, norms], axis=1))
    assert "layer adaptive clipped" not in noise.suggest(
        layers, None, quantile=0.5
    )


def test_early_in_training_the_multiples_are_those_of_the_noise():
    """Without it the gradients would all be alike, and soon not at all."""
    samples = _samples(NOISE, 1000 + NOISE)
    assert is_early(samples, 0.75)
    found = noise.suggest(samples, 1.5, quantile=0.75)
    multiplier = found["adaptive"].clip_threshold.scale
    assert multiplier == pytest.approx(9 / np.mean(NOISE), rel=1e-3)
    multiplier = found["adaptive clipped"].clip_threshold.scale
    clipped = np.minimum(NOISE, 9)
    assert multiplier == pytest.approx(9 / np.mean(clipped), rel=1e-3)
    assert "of the noise alone" in found["adaptive"].rule
    assert "of the noise alone" not in found["quantile"].rule


def test_early_in_training_the_multiples_of_layers_are_those_of_the_noise():
    noises = np.stack([NOISE, 10 * NOISE], axis=1)
    samples = _samples(
        NOISE,
        1000 + NOISE,
        layers=noises,
        layer_gradient_norms=1000 + noises,
    )
    found = noise.suggest(samples, 1.5, quantile=0.75)
    for name in ("adaptive", "adaptive clipped"):
        assert found[f"layer {name}"].clip_threshold.scale == pytest.approx(
            found[name].clip_threshold.scale, rel=0.2
        )


@pytest.mark.parametrize("alpha", [1.3, 1.7, 2.0, 3.5])
def test_the_rules_of_the_theorems_take_an_index_of_two_at_most(alpha):
    found = noise.suggest(_samples(), alpha)
    order = min(alpha, 2)
    for name, power in (
        ("strongly convex", 1 / order),
        ("clip_adam_norm", 1 / (2 * order)),
    ):
        threshold = found[name].clip_threshold
        assert isinstance(threshold, PolynomialThreshold)
        assert threshold.scale == pytest.approx(_sigma(order), rel=1e-3)
        assert threshold.power == pytest.approx(power, rel=1e-3)


@pytest.mark.parametrize("alpha", [0.8, 1.0, None])
def test_without_a_mean_only_what_was_seen_is_left(alpha):
    assert list(noise.suggest(_samples(), alpha)) == [
        *("adaptive clipped", "adaptive", "quantile"),
    ]


@pytest.mark.parametrize(
    ("alpha", "smoothness", "gap", "steps", "expected"),
    [
        (2.0, 10.0, 5.0, 100, lambda s: 48 * s**2),
        (1.5, 1.0, 1e-6, 10**9, lambda s: (s**2 * 1e15) ** (1 / 2.5)),
        (2.0, 1.0, 1e-20, 10**6, lambda s: (s**2 * 1e26) ** (1 / 4)),
    ],
)
def test_the_nonconvex_rule_is_the_largest_of_four(
    alpha, smoothness, gap, steps, expected
):
    found = noise.suggest(
        _samples(),
        alpha,
        smoothness=smoothness,
        initial_gap=gap,
        steps=steps,
    )
    assert found["nonconvex"].clip_threshold == pytest.approx(
        expected(_sigma(alpha))
    )


def test_the_nonconvex_rule_is_at_least_two():
    found = noise.suggest(
        _samples(NOISE * 1e-6),
        2.0,
        smoothness=1.0,
        initial_gap=1.0,
        steps=1,
    )
    assert found["nonconvex"].clip_threshold == 2.0


def test_layers_have_rules_of_their_own():
    norms = np.stack([GRADIENTS, 10 * GRADIENTS[::-1], 0 * GRADIENTS], axis=1)
    found = noise.suggest(_samples(layers=norms), 1.5, quantile=0.75)
    assert found["layer quantile"].clip_threshold == np.quantile(norms, 0.75)
    adaptive = found["layer adaptive"].clip_threshold
    assert isinstance(adaptive, AdaptiveThreshold)
    ratios = np.tile(GRADIENTS / np.mean(GRADIENTS), 2)
    np.testing.assert_allclose(
        adaptive.scale, np.quantile(ratios, 0.75), rtol=1e-3
    )
    assert not any("layer" in name for name in noise.suggest(_samples(), 1.5))


@pytest.mark.parametrize("missing", ["smoothness", "initial_gap", "steps"])
def test_the_nonconvex_rule_needs_all_three_constants(missing):
    arguments = {"smoothness": 1.0, "initial_gap": 1.0, "steps": 10}
    del arguments[missing]
    assert "nonconvex" not in noise.suggest(_samples(), 1.5, **arguments)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("quantile", 0.0),
        ("quantile", 1.0),
        ("smoothness", 0.0),
        ("initial_gap", -1.0),
        ("steps", 0),
    ],
)
def test_arguments_are_checked_even_if_others_are_missing(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        noise.suggest(_samples(), 1.5, **{name: value})


@pytest.mark.slow
def test_every_suggestion_is_ready_for_an_optimizer():
    """Each is given to all that it names, and each optimizer steps once."""
    model = linear_model(KERAS)
    x, y = data(400)
    options = {"batch_size": 4, "num_samples": 100, "per_layer": True}
    samples = sample(model, x, y, **options)
    report = noise.report(samples, smoothness=1.0, initial_gap=1.0, steps=100)
    assert len(report.suggestions) == 9
    every, stepped = set(), set()
    for name, suggestion in report.suggestions.items():
        arguments = {"clip_threshold": suggestion.clip_threshold}
        if "layer" in name:
            arguments["clipping"] = suggestion.clipping
        optimizers = [
            getattr(keras_clip, each)(**arguments)
            for each in suggestion.optimizers
        ]
        assert optimizers
        every.update(map(type, optimizers))
        # Two of those that have not, or any.
        others = [each for each in optimizers if type(each) not in stepped]
        for optimizer in others[:2] or optimizers[:1]:
            stepped.add(type(optimizer))
            before = model.get_weights()
            model.compile(optimizer, "mse", run_eagerly=True)
            model.train_on_batch(x[:4], y[:4])
            assert not np.array_equal(model.get_weights()[0], before[0])
    assert stepped == every


@pytest.mark.slow
def test_the_quantile_rule_clips_as_many_steps_as_it_says():
    """The optimizer's own count of clipped steps, at the same parameters."""
    model = linear_model(KERAS)
    x, y = data(4000)
    report = noise.report(sample(model, x, y, batch_size=4), quantile=0.75)
    threshold = report.suggestions["quantile"].clip_threshold
    optimizer = keras_clip.GClip(0.0, clip_threshold=threshold, monitor=True)
    model.compile(optimizer=optimizer, loss="mse")
    model.fit(x, y, batch_size=4, verbose=0)
    share = float(optimizer.clip_total) / 1000
    # Two binomial samples of 1,000 each: 0.019 is the error of the difference.
    assert abs(share - 0.25) < 0.06
