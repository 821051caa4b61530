"""The study of the noise runs from its data to its figures, and resumes."""

import dataclasses
import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import command_line
from experiments.noise import study
from experiments.noise import study_data
from experiments.noise import study_figures
from experiments.noise import study_models
from keras_clip import noise
from tests.support.tiny import call

pytestmark = pytest.mark.slow

FOLDER = Path(study.__file__).parent


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """ZIP file of random images of ten classes."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("images") / "images.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for index in range(20):
            pixels = rng.integers(0, 256, (32, 32, 3)).astype("uint8")
            file = io.BytesIO()
            Image.fromarray(pixels).save(file, "JPEG")
            name = f"set/train/class{index % 10}/{index}.jpg"
            archive.writestr(name, file.getvalue())
        archive.writestr("set/test/class0/0.jpg", b"not to be read")
    return path


# One of each kind: the others differ in data or model alone.
SIZES = {
    "bert-wikipedia": (16, 1),
    "resnet-images": (8, 10),
    "no-attention-gaussian": (16, 1),
}
OF_ALL_KINDS = (
    *("--points", 0, 2, "--only", *SIZES),
    *("--images_per_batch", *SIZES["resnet-images"]),
)


@pytest.fixture(scope="module")
def made(data, images, tmp_path_factory):
    """Options of a small study, its folder, and what its first call gave."""
    folder = tmp_path_factory.mktemp("study")
    options = [
        *("--wikipedia", data, "--novels", data, "--images", images),
        *("--output_dir", folder, "--num_samples", 3),
        *("--full_gradient_batches", 2),
    ]
    return options, folder, call(study, *options, *OF_ALL_KINDS)


def test_every_run_is_sampled_at_every_point(made):
    _, folder, losses = made
    assert list(losses) == list(SIZES)
    for name, by_point in losses.items():
        assert set(by_point) == {
            f"{point}-{size}" for point in (0, 2) for size in SIZES[name]
        }
        for point, loss in by_point.items():
            path = folder / f"{name}-{point}.json"
            samples = json.loads(path.read_text())
            assert len(samples["noise_norms"]) == 3
            assert samples["loss"] == loss
            assert samples["batch_size"] == int(point.split("-")[1])


def test_what_is_there_is_not_made_again(made):
    options, folder, _ = made
    assert call(study, *options, *OF_ALL_KINDS) == {}


def test_a_later_point_goes_on_from_the_checkpoint(made):
    """As though it had never stopped: the same samples at the same point."""
    options, folder, _ = made
    path = folder / "bert-wikipedia-2-16.json"
    before = path.read_text()
    path.unlink()
    for file in (folder / "checkpoints").glob("bert-wikipedia-2.*"):
        file.unlink()
    call(study, *options, *OF_ALL_KINDS)
    old, new = (json.loads(text) for text in (before, path.read_text()))
    np.testing.assert_allclose(
        new["noise_norms"], old["noise_norms"], rtol=1e-3
    )


def test_images_are_sampled_as_in_inference_too(made):
    """The loss of an image does not depend on its batch then, even of one."""
    options, folder, trained = made
    before = {path.name for path in (folder / "checkpoints").iterdir()}
    options = [*options, "--inference", "--only", "resnet-images"]
    options += ["--points", 2, "--images_per_batch", 8, 1]
    losses = call(study, *options)["resnet-images"]
    assert before == {path.name for path in (folder / "checkpoints").iterdir()}
    assert losses["2-1"] == pytest.approx(losses["2-8"], rel=1e-4)
    in_training = trained["resnet-images"]["2-8"]
    assert losses["2-8"] != pytest.approx(in_training, rel=1e-2)
    path = folder / "resnet-images-inference-2-1.json"
    samples = json.loads(path.read_text())
    assert (samples["batch_size"], samples["training"]) == (1, False)


@pytest.mark.parametrize(
    "options, message",
    [
        (
            ("--points", 2, "--only", "bert-novels"),
            "`--inference` must come with --only",
        ),
        (("--points", 9), "`--points` must be such that the same command"),
    ],
)
def test_inference_trains_nothing(made, options, message):
    given = [*made[0], "--inference", "--only", "resnet-images", *options]
    given += ["--images_per_batch", 8]
    with pytest.raises(command_line.InputError, match=message):
        call(study, *given)


def test_figures_and_table_come_of_the_samples(tmp_path, monkeypatch):
    samples = tmp_path / "samples"
    samples.mkdir()
    known = {}
    for size in (1, 16):
        source = FOLDER / f"results/samples/bert-wikipedia-1000-{size}.json"
        loaded = noise.NoiseSamples.load(source)
        arrays = ("noise_norms", "gradient_norms", "projections")
        few = {name: getattr(loaded, name)[:60] for name in arrays}
        known[size] = noise.report(dataclasses.replace(loaded, **few))
        # The same ones for every run: a report takes seconds.
        for name in study.RUNS:
            images = name == "resnet-images"
            copied = {1: 16, 16: 304}[size] if images else size
            shutil.copy(source, samples / f"{name}-1000-{copied}.json")
    monkeypatch.setattr(noise, "report", lambda found: known[found.batch_size])
    indices = call(
        study_figures, "--samples", samples, "--output_dir", tmp_path
    )
    assert len(indices) == 2 * len(study.RUNS)
    assert {path.name for path in tmp_path.glob("*.png")} == {
        "bert-wikipedia-1.png",
        "bert-wikipedia-16.png",
        "resnet-images-16.png",
        "resnet-images-304.png",
        "evolution-few.png",
        "evolution-many.png",
        "grid-1.png",
        "grid-16.png",
    }
    table = (tmp_path / "results.md").read_text("utf-8").splitlines()
    assert len(table) == 2 + 12
    assert {line.count("|") for line in table} == {13}
    results = json.loads((tmp_path / "results.json").read_text("utf-8"))
    found = results["resnet-images, batches of 16"]["1000"]
    assert found["num_samples"] == 60


@pytest.mark.parametrize("gaussian", [False, True])
def test_without_attention_positions_do_not_see_each_other(gaussian):
    """A change of one input moves the output there, with attention anywhere."""
    rng = np.random.default_rng(0)
    name, inputs = "input_word_ids", rng.integers(0, 50, (1, 8))
    if gaussian:
        name = "input_word_embeddings"
        inputs = rng.normal(size=(1, 8, study_models.HIDDEN_SIZE))
    other = inputs.copy()
    other[0, 3] += 1
    rest = {
        "input_mask": np.ones((1, 8), "int32"),
        "input_type_ids": np.zeros((1, 8), "int32"),
    }
    for attention in (False, True):
        model = study_models.bert(51, 8, attention, gaussian)
        one, two = (
            np.asarray(
                model.encoder_network({name: value, **rest})["sequence_output"]
            )
            for value in (inputs, other)
        )
        moved = np.abs(one - two).max(axis=(0, 2)) > 0
        assert list(np.flatnonzero(moved)) == (
            list(range(8)) if attention else [3]
        )


def test_gaussian_input_has_labels_that_depend_on_it_alone():
    first, second = (
        next(study_data.gaussian(40, 12, 5, 16, 16, seed))[0] for seed in (0, 1)
    )
    assert first["input_word_embeddings"].shape == (16, 12, 16)
    assert not np.any(
        first["input_word_embeddings"] == second["input_word_embeddings"]
    )
    assert len(set(first["masked_lm_ids"].ravel())) > 20
    for batch in (first, second):
        positions = batch["masked_lm_positions"]
        assert np.all(np.diff(positions, axis=1) > 0)
    teacher = np.random.default_rng(0).standard_normal((16, 40), "float32")
    chosen = np.take_along_axis(
        first["input_word_embeddings"],
        first["masked_lm_positions"][..., None],
        axis=1,
    )
    np.testing.assert_array_equal(
        np.argmax(chosen @ teacher, -1), first["masked_lm_ids"]
    )


def test_images_are_the_training_ones_normalized(images):
    x, y = study_data.images(images)
    assert x.shape == (20, 32, 32, 3) and sorted(set(y)) == list(range(10))
    np.testing.assert_allclose(x.mean((0, 1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(x.std((0, 1, 2)), 1, atol=1e-4)


def test_no_samples_are_refused(complain, tmp_path):
    message = complain(study_figures, "--samples", tmp_path)
    assert "`--samples` must hold what study.py has written" in message
