"""The options of sampling a run are checked before anything is read."""

import pytest

from keras_clip.noise.sampling.model_garden_run import sample_run


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
    with pytest.raises(ValueError) as error:
        sample_run(str(tmp_path), **{option: value})
    message = str(error.value)
    assert message.startswith(f"`{option}` must be ")
    assert message.endswith(f"Received: {option}={value!r}")
