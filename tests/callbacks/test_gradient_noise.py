"""GradientNoise reports every few epochs, and training does not notice."""

import json
import warnings

import numpy as np
import pytest

from keras_clip import noise
from tests.noise.test_optional_packages import hide
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.front_ends import both_front_ends
from tests.support.models import data
from tests.support.models import dense_model
from tests.support.models import fit
from tests.support.models import unbuilt_model
from tests.support.own_steps import model_with_own_step
from tests.support.programs.launch import result_of
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow


SAMPLED = {"batch_size": 4, "num_samples": 60, "verbose": 0}


def _callback(front_end, **arguments):
    arguments = {**SAMPLED, **arguments}
    return front_end.callbacks.GradientNoise(*data(), **arguments)


@both_front_ends
def test_reports_come_every_few_epochs_and_into_the_logs(front_end):
    model = dense_model(front_end, front_end.optimizer("gclip"))
    callback = _callback(front_end, every=2)
    history = fit(model, callback, epochs=5)
    assert list(callback.reports) == [2, 4]
    indices = [r.tail_index.alpha for r in callback.reports.values()]
    assert history["noise_tail_index"] == indices


@both_front_ends
def test_a_report_is_that_of_the_parameters_at_the_end_of_the_epoch(front_end):
    model = dense_model(front_end, front_end.optimizer("gclip"))
    callback = _callback(front_end, every=3)
    fit(model, callback, epochs=3)
    expected = noise.sample(model, *data(), **SAMPLED)
    np.testing.assert_array_equal(
        callback.reports[3].samples.noise_norms, expected.noise_norms
    )


def _ends(front_end):
    """Returns weights without the callback and with it, and its reports."""
    callback, ends = _callback(front_end), []
    for callbacks in ([], [callback]):
        model = unbuilt_model(front_end, front_end.optimizer("clip_adam"))
        fit(model, *callbacks, epochs=3)
        ends.append(model.get_weights())
    return *ends, len(callback.reports)


@pytest.mark.parametrize(
    ("front_end", "backend"),
    [(KERAS, "tensorflow"), (TF_KERAS, "tensorflow"), (KERAS, "jax")],
)
def test_training_is_the_same_with_it(front_end, backend):
    without, with_it, reports = result_of(_ends, front_end, backend=backend)
    assert same_bits(with_it, without)
    assert reports == 3


def test_reports_and_pictures_are_written(tmp_path):
    model = dense_model(KERAS, KERAS.optimizer("gclip"))
    folder = tmp_path / "new" / "noise"
    fit(model, _callback(KERAS, directory=str(folder)), epochs=2)
    assert sorted(path.name for path in folder.iterdir()) == [
        "epoch-0001-samples.json",
        "epoch-0001.json",
        "epoch-0001.png",
        "epoch-0002-samples.json",
        "epoch-0002.json",
        "epoch-0002.png",
        "evolution.png",
    ]
    report = json.loads((folder / "epoch-0002.json").read_text("utf-8"))
    samples = noise.NoiseSamples.load(folder / "epoch-0002-samples.json")
    assert report["num_samples"] == len(samples) == 60


def test_a_line_a_report_is_printed(capsys):
    model = dense_model(KERAS, KERAS.optimizer("gclip"))
    callback = _callback(KERAS, verbose=1)
    fit(model, callback)
    printed = capsys.readouterr().out
    assert "Gradient noise: " in printed
    assert callback.reports[1].recommendation.line in printed


@both_front_ends
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("every", 0),
        ("every", 1.5),
        ("directory", 3),
        ("verbose", "auto"),
        ("num_samples", 0),
        ("training", 1),
    ],
)
def test_arguments_are_checked(front_end, name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be .*: {name}="):
        _callback(front_end, **{name: value})


def test_a_misspelt_argument_is_refused_before_the_first_epoch():
    with pytest.raises(ValueError, match=r"Received: number_of_samples=3$"):
        _callback(KERAS, number_of_samples=3)


@both_front_ends
@pytest.mark.parametrize("package", ["scipy", "matplotlib"])
def test_missing_packages_are_named_before_the_first_epoch(
    front_end, package, monkeypatch, tmp_path
):
    hide(monkeypatch, package)
    with pytest.raises(ImportError, match=f"`pip install {package}`"):
        _callback(front_end, directory=tmp_path)
    if package == "matplotlib":
        _callback(front_end)  # draws nothing


@both_front_ends
def test_forgotten_targets_are_named_before_the_first_step(front_end):
    model = dense_model(front_end, front_end.optimizer("gclip"))
    x, _ = data()
    callback = front_end.callbacks.GradientNoise(x, **SAMPLED)
    before = model.get_weights()
    with pytest.raises(ValueError, match="`y` must be given"):
        fit(model, callback)
    assert same_bits(model.get_weights(), before)


@both_front_ends
def test_own_step_is_warned_of_unless_its_loss_is_sampled(front_end):
    """Sampled is the loss that the model is compiled with."""
    model = model_with_own_step(front_end, front_end.optimizer("gclip"))
    with pytest.warns(UserWarning, match="samples the loss that `compute_lo"):
        fit(model, _callback(front_end))

    class OwnLoss(type(model)):
        def compute_loss(self, *arguments, **named):
            return super().compute_loss(*arguments, **named)

    usual = dense_model(front_end, front_end.optimizer("gclip"))
    own = OwnLoss(model.layers)
    own.compile(optimizer="sgd", loss="mse")
    for each in (usual, own):
        with warnings.catch_warnings():
            warnings.filterwarnings("error", message="`GradientNoise` samples")
            fit(each, _callback(front_end))


def test_reports_are_of_the_last_training():
    callback = _callback(KERAS)
    model = dense_model(KERAS, KERAS.optimizer("gclip"))
    fit(model, callback, epochs=2)
    first = callback.reports
    assert list(first) == [1, 2]
    fit(model, callback, epochs=3, initial_epoch=2)
    assert list(callback.reports) == [1, 2, 3]
    assert callback.reports[2] is first[2]
    fit(model, callback)
    assert list(callback.reports) == [1]
    assert callback.reports[1] is not first[1]


def test_reports_of_another_model_are_not_among_those_of_one():
    callback = _callback(KERAS)
    for epochs in (2, 3):
        model = dense_model(KERAS, KERAS.optimizer("gclip"))
        fit(model, callback, epochs=epochs, initial_epoch=epochs - 1)
        assert list(callback.reports) == [epochs]


@both_front_ends
def test_model_that_its_first_step_builds_is_reported_on(front_end):
    layers = front_end.framework.layers
    model = front_end.framework.Sequential([layers.Dense(2)])
    model.compile(optimizer=front_end.optimizer("gclip"), loss="mse")
    callback = _callback(front_end)
    fit(model, callback)
    assert [len(each.samples) for each in callback.reports.values()] == [60]
