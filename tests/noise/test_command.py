"""`python -m keras_clip.noise` reports on saved models."""

import importlib
import json
import pickle
import sys
import zipfile

import numpy as np
import pytest

from keras_clip.noise.__main__ import main
from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.noise_problems import batches_of
from tests.support.noise_problems import data
from tests.support.noise_problems import linear_model
from tests.support.programs.launch import launch

pytestmark = pytest.mark.slow


@pytest.fixture
def files(tmp_path):
    """A saved model and data, and where to write."""
    linear_model(KERAS, optimizer=KERAS.optimizer("gclip")).save(
        tmp_path / "model.keras"
    )
    x, y = data(200)
    np.savez(tmp_path / "data.npz", x=x, y=y)
    return tmp_path


def _run(folder, *options, model="model.keras", data="data.npz"):
    main(
        [
            *(str(folder / model), str(folder / data)),
            *("--output", str(folder / "out"), "--num_samples", "100"),
            *options,
        ]
    )


def _refused(capsys, *arguments, **names):
    with pytest.raises(SystemExit) as error:
        _run(*arguments, **names)
    assert error.value.code == 2
    return capsys.readouterr().err


@both_front_ends
def test_it_prints_the_report_and_writes_json_and_png(front_end, files, capsys):
    optimizer = front_end.optimizer("gclip")
    linear_model(front_end, optimizer=optimizer).save(files / "model.keras")
    _run(files, "--batch_size", "8")
    printed = capsys.readouterr().out
    assert "100 mini-batches of 8" in printed
    assert "Verdict:" in printed and "quantile: clip_threshold=" in printed
    report = json.loads((files / "out.json").read_text("utf-8"))
    assert report["verdict"] in printed or report["verdict"] == "undecided"
    last = printed.strip().splitlines()[-1]
    assert last == report["recommendation"]["line"]
    assert (files / "out.png").stat().st_size > 10_000


def test_it_runs_as_a_module(files):
    done = launch(
        *("-m", "keras_clip.noise", files / "model.keras", files / "data.npz"),
        *("--num_samples", "60", "--output", files / "out"),
        backend="tensorflow",
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Written:" in done.stdout


def test_a_saved_data_set_of_tensorflow_is_read(files, capsys):
    import tensorflow as tf

    x, y = data(200)
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
    dataset.save(str(files / "saved"))
    _run(files, data="saved")
    assert "ended after 25 of 100" in capsys.readouterr().out


def test_options_reach_sampling_and_report(files, capsys):
    _run(
        files,
        *("--batch_size", "4", "--inference", "--seed", "3"),
        *("--full_gradient_batches", "20", "--confidence", "0.5"),
        *("--quantile", "0.5", "--smoothness", "1", "--initial_gap", "1"),
        *("--steps", "10"),
    )
    report = json.loads((files / "out.json").read_text("utf-8"))
    assert report["batch_size"] == 4 and report["training"] is False
    assert report["seed"] == 3 and report["full_gradient_error"] > 0
    assert report["tail_index"]["confidence"] == 0.5
    assert "nonconvex" in report["suggestions"]
    assert "0.5 quantile" in report["suggestions"]["quantile"]["rule"]


def test_bad_input_is_one_line(files, capsys):
    message = _refused(capsys, files, model="missing.keras")
    assert "`model` must be a .keras file" in message
    assert len(message.splitlines()) == 1
    np.savez(files / "other.npz", images=np.zeros(3))
    message = _refused(capsys, files, data="other.npz")
    assert "`data` must hold arrays x, y" in message
    message = _refused(capsys, files, data="nothing.npz")
    assert "nothing.npz" in message and len(message.splitlines()) == 1
    message = _refused(capsys, files, "--num_samples", "0")
    assert "`num_samples` must be" in message


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("quantile", "2"),
        ("quantile", "nan"),
        ("confidence", "1"),
        ("steps", "0"),
        ("num_samples", "49"),
        ("seed", "-1"),
        ("batch_size", "0"),
        ("smoothness", "0"),
        ("output", "/nowhere/noise"),
    ],
)
def test_wrong_options_are_named_before_the_model_is_loaded(
    files, capsys, option, value
):
    message = _refused(
        capsys, files, f"--{option}", value, model="missing.keras"
    )
    assert f"`{option}` must be " in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("name", ["text", "pickle", "empty", "cut", "npy"])
def test_what_is_no_archive_is_one_line_without_advice_to_load_it(
    files, capsys, name
):
    path = files / f"{name}.npz"
    whole = (files / "data.npz").read_bytes()
    content = {
        "text": b"x,y\n1,2\n",
        "pickle": pickle.dumps({"x": [1]}),
        "empty": b"",
        "cut": whole[: len(whole) // 2],
    }
    if name == "npy":
        with open(path, "wb") as file:
            np.save(file, np.zeros(3))
    else:
        path.write_bytes(content[name])
    message = _refused(capsys, files, data=path.name)
    assert len(message.splitlines()) == 1 and "pickle=" not in message
    assert "`data` must be an .npz file or a directory" in message
    assert message.endswith(f"data={str(path)!r}, which is neither\n")


def test_arrays_of_objects_or_damaged_ones_are_one_line(files, capsys):
    np.savez(files / "objects.npz", x=np.array([{}, {}]))
    content = bytearray((files / "data.npz").read_bytes())
    content[300:400] = bytes(100)
    (files / "damaged.npz").write_bytes(content)
    for name in ("objects.npz", "damaged.npz"):
        message = _refused(capsys, files, data=name)
        assert len(message.splitlines()) == 1 and "pickle" not in message
        assert "`data` must hold whole arrays" in message and name in message


def test_a_directory_without_a_data_set_is_one_line(files, capsys):
    (files / "folder").mkdir()
    message = _refused(capsys, files, data="folder")
    assert len(message.splitlines()) == 1
    assert "tf.data.Dataset.save has written" in message


@pytest.mark.parametrize("content", [None, "metadata.json", "other.txt"])
def test_an_archive_that_is_no_model_is_one_line(files, capsys, content):
    with zipfile.ZipFile(files / "foreign.keras", "w") as archive:
        if content:
            archive.writestr(content, "hello")
    message = _refused(capsys, files, model="foreign.keras")
    assert "`model` must be a .keras file" in message
    assert len(message.splitlines()) == 1


CUSTOM = """
import tensorflow as tf
import {framework} as keras

@keras.saving.register_keras_serializable("{package}")
class Linear(keras.layers.Dense):
    pass

@keras.saving.register_keras_serializable("{package}")
def squared_error(y_true, y_pred):
    return tf.reduce_mean(tf.square(y_true - y_pred), -1)
"""


@pytest.fixture
def custom(files, monkeypatch):
    """Returns how to write a module with a layer and a loss."""
    monkeypatch.syspath_prepend(files)

    def write(front_end, name):
        framework = front_end.framework.__name__
        text = CUSTOM.format(framework=framework, package=name)
        (files / f"{name}.py").write_text(text)
        return name

    return write


@both_front_ends
@pytest.mark.parametrize("what", ["layer", "loss"])
def test_what_is_custom_is_imported_by_name(
    front_end, what, files, custom, capsys
):
    layers = front_end.framework.layers
    names = [
        custom(front_end, f"{part}_{what}_{front_end.name}")
        for part in ("one", "other")
    ]
    one, other = map(importlib.import_module, names)
    layer = one.Linear(2) if what == "layer" else layers.Dense(2)
    model = front_end.framework.Sequential([layers.Input((3,)), layer])
    model.compile("sgd", other.squared_error if what == "loss" else "mse")
    model.save(files / "model.keras")
    registered = front_end.framework.saving.get_custom_objects()
    for key in list(registered):
        if key.startswith(tuple(names)):
            del registered[key]
    for name in names:
        del sys.modules[name]

    message = _refused(capsys, files)
    assert len(message.splitlines()) == 1
    assert "that a module named by --import registers" in message
    assert ("Linear" if what == "layer" else "squared_error") in message

    _run(files, "--import", names[0], "--import", names[1])
    assert "100 mini-batches" in capsys.readouterr().out


def test_a_module_that_python_does_not_find_is_one_line(files, capsys):
    message = _refused(capsys, files, "--import", "no_such_module")
    assert "`--import` must name a module that Python finds" in message
    assert message.endswith("Received: --import no_such_module\n")
    assert len(message.splitlines()) == 1


def test_batches_of_the_data_are_those_of_the_arrays(files):
    """The full gradient of the command is that of all of the data."""
    from keras_clip import noise

    _run(files, "--batch_size", "8")
    report = json.loads((files / "out.json").read_text("utf-8"))
    samples = noise.sample(
        linear_model(KERAS), batches_of(*data(200)), verbose=0
    )
    np.testing.assert_allclose(
        report["full_gradient_norm"], samples.full_gradient_norm, rtol=1e-5
    )
