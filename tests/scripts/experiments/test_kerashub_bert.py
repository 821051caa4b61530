"""The noise of KerasHub's BERT is sampled at each point, and resumes."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from experiments.noise import full_sequences
from experiments.noise import kerashub_bert
from tests.support.tiny import call
from tests.support.tiny import examples

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def arrays(data, tmp_path_factory):
    """NPZ file of the full sequences, and how many there are."""
    path = tmp_path_factory.mktemp("arrays") / "text.npz"
    return path, call(full_sequences, "--text", data, "--output_file", path)


@pytest.fixture(scope="module")
def made(arrays, tmp_path_factory):
    """Options of a small run, its folder, and what its first call gave."""
    folder = tmp_path_factory.mktemp("kerashub")
    options = [
        *("--sequences", arrays[0], "--output_dir", folder),
        *("--num_layers", 1, "--hidden_size", 64, "--points", 0, 2, 4),
        *("--num_samples", 3, "--full_gradient_batches", 2),
    ]
    return options, folder, call(kerashub_bert, *options)


def test_only_full_sequences_are_kept_in_their_order(arrays, data):
    path, numbers = arrays
    found = examples(*sorted(data.glob("train-*.tfrecord")))
    assert numbers["sequences"] == len(found)
    with np.load(path) as kept:
        predictions = kept["masked_ids"].shape[1]
        full = [
            example
            for example in found
            if all(example["input_mask"])
            and sum(example["masked_lm_weights"]) == predictions
        ]
        assert numbers["kept"] == len(full) > 0
        for name, original, length in (
            ("token_ids", "input_ids", 32),
            ("segment_ids", "segment_ids", 32),
            ("mask_positions", "masked_lm_positions", predictions),
            ("masked_ids", "masked_lm_ids", predictions),
        ):
            expected = [example[original][:length] for example in full]
            np.testing.assert_array_equal(kept[name], expected)


def test_every_point_is_sampled_with_both_batch_sizes(made):
    _, folder, losses = made
    assert set(losses) == {
        f"{point}-{size}" for point in (0, 2, 4) for size in (16, 1)
    }
    for point, loss in losses.items():
        samples = json.loads(
            (folder / f"bert-1x64-text-{point}.json").read_text()
        )
        assert len(samples["noise_norms"]) == 3
        assert samples["loss"] == loss
        assert samples["batch_size"] == int(point.split("-")[1])
    assert losses["4-16"] != losses["2-16"] != losses["0-16"]


def test_what_is_there_is_not_sampled_again(made):
    options, _, _ = made
    assert call(kerashub_bert, *options) == {}


def test_a_later_point_goes_on_from_the_checkpoint(made):
    """As though it had never stopped: Adam's moments are kept too."""
    options, folder, _ = made
    path = folder / "bert-1x64-text-4-16.json"
    before = json.loads(path.read_text())
    path.unlink()
    (folder / "checkpoints" / "bert-1x64-text-4.weights.h5").unlink()
    assert set(call(kerashub_bert, *options)) == {"4-16"}
    after = json.loads(path.read_text())
    np.testing.assert_allclose(
        after["noise_norms"], before["noise_norms"], rtol=1e-3
    )


def test_padded_sequences_alone_are_refused(complain, tmp_path):
    (tmp_path / "sizes.json").write_text(
        json.dumps({"max_seq_length": 2, "max_predictions_per_seq": 1})
    )
    example = tf.train.Example()
    feature = example.features.feature
    for name, values in (
        ("input_ids", [0, 0]),
        ("segment_ids", [0, 0]),
        ("input_mask", [1, 0]),
        ("masked_lm_positions", [0]),
        ("masked_lm_ids", [0]),
    ):
        feature[name].int64_list.value.extend(values)
    feature["masked_lm_weights"].float_list.value.append(1)
    with tf.io.TFRecordWriter(str(tmp_path / "train-0.tfrecord")) as writer:
        writer.write(example.SerializeToString())
    options = ["--text", tmp_path, "--output_file", tmp_path / "x.npz"]
    assert "1 that are padded" in complain(full_sequences, *options)


@pytest.mark.parametrize("name", ["sizes.json", "train-00000.tfrecord"])
def test_damaged_text_is_refused(complain, data, tmp_path, name):
    path = shutil.copytree(data, tmp_path / "copy") / name
    path.write_bytes(path.read_bytes()[:-9])
    options = ["--text", path.parent, "--output_file", tmp_path / "x.npz"]
    assert complain(full_sequences, *options).endswith(f"={path}")


def test_damaged_sequences_are_refused(complain, arrays, tmp_path):
    path = tmp_path / "text.npz"
    path.write_bytes(arrays[0].read_bytes()[:-9])
    message = complain(kerashub_bert, "--sequences", path)
    assert message.endswith(f"={path}")


def test_what_is_not_there_is_refused(complain, tmp_path):
    missing = tmp_path / "none"
    text = ["--text", missing, "--output_file", tmp_path / "x.npz"]
    for script, options, expected in (
        (full_sequences, text, "`--text` must hold what prepare_pretraining_"),
        (
            kerashub_bert,
            ["--sequences", missing],
            "`--sequences` must name what full_sequences.py has written",
        ),
    ):
        message = complain(script, *options)
        assert expected in message
        assert message.endswith(f"={missing}")
