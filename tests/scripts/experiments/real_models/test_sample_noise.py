"""The noise of finetuning is sampled at three points, once."""

import pytest

from experiments.real_models import sample_noise
from keras_clip import noise
from tests.support.tiny import call

pytestmark = pytest.mark.slow


def test_the_noise_is_sampled_at_three_points_and_resumes(paths, tmp_path):
    options = [
        *("--experiment", "rte", "--rte", paths["rte"]),
        *("--encoder", paths["encoder"], "--results", tmp_path),
        *("--num_samples", 3, "--full_gradient_examples", 16),
        *("--most_steps", 1),
    ]
    found = call(sample_noise, *options)
    # One step is all there is: its middle is the start.
    assert set(found) == {
        f"{step}-{size}" for step in (0, 1) for size in (1, 8, 16)
    }
    for name, loss in found.items():
        path = tmp_path / "noise" / f"rte-{name}.json"
        samples = noise.NoiseSamples.load(path)
        assert len(samples) == 3 and samples.loss == loss
        assert samples.batch_size == int(name.split("-")[1])
    path.unlink()
    assert call(sample_noise, *options) == {name: loss}
