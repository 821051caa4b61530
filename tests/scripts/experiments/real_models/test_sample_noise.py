"""The noise of finetuning is sampled at three points, once."""

import numpy as np
import pytest

from command_line import InputError
from experiments.real_models import noise_measures
from experiments.real_models import noise_points
from experiments.real_models import report
from experiments.real_models import sample_noise
from keras_clip import noise
from tests.support import noise_problems
from tests.support.tiny import call


def samples_of(draw, **fields):
    """Returns a thousand samples with norms of a law."""
    rng = np.random.default_rng(0)
    return noise_problems.make_samples(
        draw(rng, 1000), rng.standard_normal((1000, 1)), **fields
    )


def heavy(rng, number):
    return 1 + rng.pareto(0.8, number)


def light(rng, number):
    return 5 + rng.uniform(-1, 1, number)


def write_noise(folder, experiment):
    """Writes light-tailed noise for all points."""
    noise_points.begin(folder, experiment, {"steps": 2})
    for point, size in noise_points.missing(folder, experiment):
        path = noise_points.path_of(folder, experiment, point, size)
        samples_of(light, batch_size=size).save(path)


def test_heavy_tails_are_told_from_light_ones():
    for draw, is_heavy in ((heavy, True), (light, False)):
        reports = {"cola": {("after", 8): noise.report(samples_of(draw))}}
        arguments = {"noise_of": "cola", "at": "after", "size": 8}
        index, low, high = noise_measures.tail_index(reports, **arguments)
        assert low < index < high and (high < 2) == is_heavy
        assert (low < 0.8 < high) == is_heavy
        ratio, low, high = noise_measures.mild_ratio(reports, **arguments)
        assert low <= ratio <= high and (low > 3) == (high > 3) == is_heavy


@pytest.mark.slow
def test_light_tails_refute_the_claims(tmp_path):
    write_noise(tmp_path, "cola")
    write_noise(tmp_path, "rte")
    found = call(report, "--results", tmp_path)
    assert found == {
        "outliers_of_finetuning": "fails",
        "finetuning_without_variance": "fails",
    }
    text = (tmp_path / "results.md").read_text()
    assert text.count("| not heavy-tailed |") == 18
    assert (tmp_path / "noise.png").stat().st_size > 10_000


def test_noise_with_a_point_missing_is_left_out(tmp_path):
    write_noise(tmp_path, "cola")
    noise_points.path_of(tmp_path, "cola", "after", 8).unlink()
    assert noise_points.reports(tmp_path) == {}
    with pytest.raises(InputError, match="must hold all runs"):
        call(report, "--results", tmp_path)


@pytest.mark.slow
def test_the_noise_is_sampled_at_three_points_and_resumes(paths, tmp_path):
    options = [
        *("--experiment", "rte", "--rte", paths["rte"]),
        *("--encoder", paths["encoder"], "--results", tmp_path),
        *("--num_samples", 50, "--full_gradient_examples", 16),
        *("--most_steps", 2),
    ]
    found = call(sample_noise, *options)
    assert set(found) == {
        f"{point}-{size}"
        for point in ("before", "middle", "after")
        for size in (1, 8, 16)
    }
    assert found["before-16"] != found["middle-16"] != found["after-16"]
    for name, loss in found.items():
        point, size = name.split("-")
        path = noise_points.path_of(tmp_path, "rte", point, int(size))
        samples = noise.NoiseSamples.load(path)
        assert len(samples) == 50 and samples.loss == loss
        assert samples.batch_size == int(size)
    assert call(sample_noise, *options) == {}
    noise_points.path_of(tmp_path, "rte", "before", 16).unlink()
    again = call(sample_noise, *options)
    assert again == {"before-16": found["before-16"]}
    with pytest.raises(InputError, match="sampled with other settings"):
        call(sample_noise, *options, "--num_samples", 51)
