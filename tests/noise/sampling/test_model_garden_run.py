"""The options of sampling a run are checked before anything is read."""

import pytest

from keras_clip.noise.sampling.model_garden_run import sample_run
from tests.support.refusals import refused


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("num_samples", 0),
        ("num_samples", 2.5),
        ("num_projections", -1),
        ("full_gradient_batches", 0),
        ("batch_size", 0),
        ("per_layer", 1),
        ("verbose", "yes"),
    ],
)
def test_option_out_of_its_range_is_refused(tmp_path, option, value):
    with refused(f"`{option}` must be ", f"Received: {option}={value!r}"):
        sample_run(str(tmp_path), **{option: value})
