"""A report says in words, JSON and pictures what the samples say."""

import json

import numpy as np
import pytest

from keras_clip import noise
from tests.support.noise_problems import make_samples

pytestmark = pytest.mark.slow

LIGHT, HEAVY = "not heavy-tailed", "heavy-tailed"


def _pareto(index, size=2000, seed=0):
    return np.random.default_rng(seed).pareto(index, size) + 1


def _gaussian(size=2000, dimension=30, seed=0):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(size, dimension))
    return np.linalg.norm(vectors, axis=1), vectors[:, :2]


@pytest.fixture(scope="module")
def heavy():
    rng = np.random.default_rng(0)
    vectors = rng.standard_cauchy((2000, 4))
    norms = np.linalg.norm(vectors, axis=1)
    return noise.report(make_samples(norms, vectors[:, :2]))


@pytest.fixture(scope="module")
def light():
    return noise.report(make_samples(*_gaussian()))


def test_cauchy_noise_is_heavy_tailed(heavy):
    assert heavy.verdict == HEAVY
    for index in (heavy.tail_index, heavy.stable_index):
        assert index.low < 1.0 < index.high < 2.0
    assert heavy.stable_fit.alpha == pytest.approx(1.0, abs=0.1)
    assert heavy.kurtosis > 100
    assert heavy.stable_fit.distance < 0.03 < heavy.gaussian_fit.distance


def test_gaussian_noise_is_not(light):
    assert light.verdict == LIGHT
    assert light.stable_index.high == 2.0
    assert light.stable_fit.alpha > 1.9
    assert light.kurtosis == pytest.approx(3.0, abs=0.3)
    assert light.gaussian_fit.distance < 0.03


@pytest.mark.usefixtures("stables_are_not_fitted")
def test_what_may_be_either_is_undecided():
    report = noise.report(make_samples(_pareto(2.0, 200)))
    assert report.verdict == "undecided"
    assert "the interval holds 2" in str(report)
    assert "sample more mini-batches" in str(report)


def test_the_confidence_is_that_of_the_intervals():
    narrow, wide = (
        noise.report(make_samples(_pareto(1.5)), confidence=confidence)
        for confidence in (0.5, 0.99)
    )
    assert narrow.tail_index.confidence == 0.5
    assert wide.tail_index.low < narrow.tail_index.low
    assert wide.tail_index.high > narrow.tail_index.high


def test_words_hold_verdict_indices_thresholds_and_training_flag(heavy, light):
    text = str(heavy)
    for part in (
        "2000 mini-batches of 16, training=True",
        "(exact)",
        "the noise is heavy-tailed",
        f"{heavy.tail_index}",
        f"{heavy.stable_index}",
        "Suggested thresholds",
        "quantile: clip_threshold=",
    ):
        assert part in text
    assert "the noise is not heavy-tailed" in str(light)
    assert "Caveats" not in text
    assert "do not expect it to help by itself" in str(light)
    assert "is what clipping is for" in text


@pytest.mark.usefixtures("stables_are_not_fitted")
def test_caveats_of_the_samples_are_caveats_of_the_report():
    samples = make_samples(_pareto(1.5, 100), num_requested=150, is_random=True)
    report = noise.report(samples)
    assert report.caveats == samples.caveats and len(samples.caveats) == 2
    for caveat in samples.caveats:
        assert caveat in str(report)
    assert "standard error" in str(report)


@pytest.mark.usefixtures("stables_are_not_fitted")
def test_estimates_that_disagree_are_said_to():
    """A Gaussian whose scale varies has projections of a heavy-tailed look."""
    rng = np.random.default_rng(0)
    scale = rng.lognormal(0, 0.5, (2000, 1))
    vectors = scale * rng.normal(size=(2000, 30))
    norms = np.linalg.norm(vectors, axis=1)
    report = noise.report(make_samples(norms, vectors[:, :2]))
    assert report.tail_index.low > 2 > report.stable_index.high
    assert report.caveats[-1].startswith("The estimates disagree. The verdict")
    assert "it is below 2 although there is a variance" in report.caveats[-1]
    assert report.caveats[-1] in str(report)


@pytest.mark.usefixtures("stables_are_not_fitted")
def test_estimates_that_disagree_the_other_way_are_said_to():
    """A heavy tail of two in a hundred hardly changes the body."""
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(2000, 30))
    vectors[:40] *= 1.5 * (rng.pareto(1.0, (40, 1)) + 1)
    norms = np.linalg.norm(vectors, axis=1)
    report = noise.report(make_samples(norms, vectors[:, :2]))
    assert report.verdict == HEAVY and report.stable_index.high == 2.0
    assert report.tail_index.high < report.stable_index.low
    assert "close to Gaussian, a heavy tail of a few" in report.caveats[-1]


@pytest.mark.usefixtures("stables_are_not_fitted")
def test_each_layer_has_a_tail_index_of_its_own_if_asked():
    norms = np.stack([_pareto(1.2), _pareto(4.0), np.zeros(2000)], axis=1)
    samples = make_samples(np.linalg.norm(norms, axis=1), layers=norms)
    report = noise.report(samples)
    assert report.layers["a"].verdict == HEAVY
    assert report.layers["b"].verdict == LIGHT
    assert report.layers["c"] is None
    assert f"a: {report.layers['a']}, " in str(report)
    assert "c: unknown, 0" in str(report)
    layers = report.summary()["layers"]
    assert layers["b"]["alpha"] == report.layers["b"].alpha
    assert layers["c"] is None


def test_json_holds_what_the_words_say(heavy, tmp_path):
    heavy.save(tmp_path / "report.json")
    saved = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert saved["verdict"] == HEAVY
    assert saved["tail_index"]["alpha"] == heavy.tail_index.alpha
    assert saved["stable_fit"]["distance"] == heavy.stable_fit.distance
    assert saved["training"] is True and saved["num_samples"] == 2000
    quantile, adaptive = (
        saved["suggestions"][name]["clip_threshold"]
        for name in ("quantile", "adaptive")
    )
    assert quantile == heavy.suggestions["quantile"].clip_threshold
    assert adaptive["class_name"] == "AdaptiveThreshold"


def test_a_report_of_saved_samples_is_the_same(heavy, tmp_path):
    heavy.samples.save(tmp_path / "samples.json")
    loaded = noise.NoiseSamples.load(tmp_path / "samples.json")
    again = noise.report(loaded)
    assert again.tail_index.alpha == pytest.approx(
        heavy.tail_index.alpha, rel=1e-4
    )
    assert again.verdict == heavy.verdict


def test_the_theorems_rules_take_hills_index():
    report = noise.report(make_samples(_pareto(1.5)))
    power = report.suggestions["strongly convex"].clip_threshold.power
    assert power == pytest.approx(1 / report.tail_index.alpha, rel=1e-3)
