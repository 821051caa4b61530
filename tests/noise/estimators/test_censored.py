"""Nothing is said of a tail whose largest mini-batches may be missing."""

import json

import keras
import numpy as np
import pytest

from keras_clip import noise
from tests.support.front_ends import both_front_ends
from tests.support.noise_problems import batches_of
from tests.support.noise_problems import data
from tests.support.noise_problems import linear_model
from tests.support.noise_problems import make_samples
from tests.support.noise_problems import sample

NORMS = np.random.default_rng(0).pareto(1.5, 1000) + 1
PROJECTIONS = np.random.default_rng(1).standard_t(1.5, (900, 2))


@pytest.fixture
def censored():
    """The least 900 of 1,000 samples."""
    return make_samples(
        np.sort(NORMS)[:900],
        PROJECTIONS,
        gradient_norms=np.sort(NORMS)[:900],
        num_requested=1000,
        num_nonfinite=100,
        num_censored=100,
        layers=np.sort(NORMS)[:900, None],
    )


def test_there_is_no_verdict_and_no_estimate(censored):
    """The rest alone would seem to have a variance."""
    report = noise.report(censored)
    assert noise.hill(censored.noise_norms).verdict == "not heavy-tailed"
    assert report.verdict == "unknown"
    summary = report.summary()
    for name in (
        *("tail_index", "stable_index", "kurtosis"),
        *("gaussian_fit", "stable_fit"),
    ):
        assert getattr(report, name) is None and summary[name] is None
    assert report.layers == {"a": None}
    assert summary["num_censored"] == 100


def test_the_report_says_why(censored):
    text = str(noise.report(censored))
    assert "Verdict: unknown: the mini-batches that were left out" in text
    assert "Of 100 of these the data are finite" in text
    assert "too few" not in text


@pytest.mark.parametrize("quantile", [0.5, 0.85])
def test_a_quantile_below_the_missing_is_that_of_all(censored, quantile):
    suggestions = noise.suggest(censored, alpha=1.5, quantile=quantile)
    assert list(suggestions) == ["adaptive clipped", "quantile"]
    threshold = suggestions["quantile"].clip_threshold
    assert np.mean(NORMS > threshold) == pytest.approx(1 - quantile, abs=2e-3)


def test_the_mean_of_clipped_norms_is_that_of_all(censored):
    threshold = noise.suggest(censored, alpha=1.5, quantile=0.8)[
        "adaptive clipped"
    ]
    level = np.quantile(NORMS, 0.8)
    expected = level / np.mean(np.minimum(NORMS, level))
    assert threshold.clip_threshold.scale == pytest.approx(expected, rel=0.02)


def test_a_quantile_among_the_missing_is_none(censored):
    assert not noise.suggest(censored, alpha=1.5, quantile=0.95)
    report = noise.report(censored, quantile=0.95)
    assert not report.suggestions
    assert "Suggested thresholds: none without the largest" in str(report)
    assert report.recommendation.suggestion is None
    assert "keras_clip.ACClip(" in str(report).splitlines()[-1]


def test_the_picture_says_so_and_leaves_room_for_them(censored, tmp_path):
    report = noise.report(censored)
    report.plot(tmp_path / "noise.png")
    figure = noise.plot_report(report)
    assert "100 that may be the largest" in figure.get_suptitle()
    tail, hill = figure.axes[1:3]
    assert hill.texts[0].get_text() == "the largest may be missing"
    shares = tail.lines[0].get_ydata()
    np.testing.assert_allclose(shares[[0, -1]], [1.0, 0.101])


@both_front_ends
def test_gradients_that_float32_cannot_hold_are_censored_bad_data_not(
    front_end,
):
    x, y = data(400)
    x[8] *= 1e30
    y[16], y[24] = np.nan, np.inf
    samples = sample(linear_model(front_end), batches_of(x, y), num_samples=50)
    assert samples.num_nonfinite == samples.full_gradient_nonfinite == 3
    assert samples.num_censored == 1
    report = noise.report(samples)
    assert report.verdict == "unknown"
    assert list(report.suggestions) == ["adaptive clipped", "quantile"]
    assert [text[:7] for text in samples.caveats] == [
        *("3 mini-", "Of 1 of", "3 batch"),
    ]


@both_front_ends
def test_a_gradient_without_a_number_is_censored(front_end):
    """None can tell how large that of a root of zero is."""

    def loss(y_true, y_pred):
        return keras.ops.sqrt(keras.ops.abs(y_pred - y_true))

    model = linear_model(front_end, loss=loss)
    x, y = data(400)
    x[0], y[0] = 0.0, [0.25, -0.5]
    samples = sample(model, batches_of(x, y), num_samples=50)
    assert samples.num_nonfinite == samples.num_censored == 1


def test_the_number_is_saved_and_older_files_count_all(censored, tmp_path):
    path = tmp_path / "samples.json"
    censored.save(path)
    assert noise.NoiseSamples.load(path).num_censored == 100
    values = json.loads(path.read_text())
    del values["num_censored"]
    path.write_text(json.dumps({**values, "num_nonfinite": 7}))
    assert noise.NoiseSamples.load(path).num_censored == 7
