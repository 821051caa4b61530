"""`python -m keras_clip.noise` reports on saved models."""

import importlib
import io
import json
import pickle
import sys
import zipfile

import numpy as np
import pytest

from keras_clip.noise.__main__ import main
from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.noise_problems import data
from tests.support.noise_problems import gradient
from tests.support.noise_problems import linear_model
from tests.support.noise_problems import norm
from tests.support.programs.launch import run_module

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("stables_are_not_fitted"),
]


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
    """Returns the one line with which the command ends."""
    with pytest.raises(SystemExit) as error:
        _run(*arguments, **names)
    assert error.value.code == 2
    (message,) = capsys.readouterr().err.splitlines()
    return message


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
    expected = norm(gradient(*data(200)))
    assert report["full_gradient_norm"] == pytest.approx(expected, rel=1e-5)


def test_it_runs_as_a_module(files):
    printed = run_module(
        *("keras_clip.noise", files / "model.keras", files / "data.npz"),
        *("--num_samples", "60", "--output", files / "out"),
        backend="tensorflow",
    )
    assert "Written:" in printed


def test_a_saved_data_set_of_tensorflow_is_read(files, capsys):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(data(200)).batch(8)
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
    np.savez(files / "other.npz", images=np.zeros(3))
    message = _refused(capsys, files, data="other.npz")
    assert "`data` must hold arrays x, y" in message
    assert "nothing.npz" in _refused(capsys, files, data="nothing.npz")
    (files / "folder").mkdir()
    message = _refused(capsys, files, data="folder")
    assert "tf.data.Dataset.save has written" in message
    message = _refused(capsys, files, "--import", "no_such_module")
    assert "`--import` must name a module that Python finds" in message
    assert message.endswith("Received: --import no_such_module")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("quantile", "2"),
        ("quantile", "nan"),
        ("confidence", "1"),
        ("steps", "0"),
        ("num_samples", "0"),
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
    arguments = (f"--{option}", value)
    message = _refused(capsys, files, *arguments, model="missing.keras")
    assert f"`{option}` must be " in message


@pytest.mark.parametrize("name", ["text", "pickle", "empty", "cut", "npy"])
def test_what_is_no_archive_is_one_line_without_advice_to_load_it(
    files, capsys, name
):
    path = files / f"{name}.npz"
    whole = (files / "data.npz").read_bytes()
    npy = io.BytesIO()
    np.save(npy, np.zeros(3))
    content = {
        "text": b"x,y\n1,2\n",
        "pickle": pickle.dumps({"x": [1]}),
        "empty": b"",
        "cut": whole[: len(whole) // 2],
        "npy": npy.getvalue(),
    }
    path.write_bytes(content[name])
    message = _refused(capsys, files, data=path.name)
    assert "pickle=" not in message
    assert "`data` must be an .npz file or a directory" in message
    assert message.endswith(f"data={str(path)!r}, which is neither")


def test_arrays_of_objects_or_damaged_ones_are_one_line(files, capsys):
    np.savez(files / "objects.npz", x=np.array([{}, {}]))
    content = bytearray((files / "data.npz").read_bytes())
    content[300:400] = bytes(100)
    (files / "damaged.npz").write_bytes(content)
    for name in ("objects.npz", "damaged.npz"):
        message = _refused(capsys, files, data=name)
        assert "pickle" not in message
        assert "`data` must hold whole arrays" in message and name in message


@pytest.mark.parametrize("content", [None, "metadata.json", "other.txt"])
def test_an_archive_that_is_no_model_is_one_line(files, capsys, content):
    with zipfile.ZipFile(files / "foreign.keras", "w") as archive:
        if content:
            archive.writestr(content, "hello")
    message = _refused(capsys, files, model="foreign.keras")
    assert "`model` must be a .keras file" in message


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


@both_front_ends
@pytest.mark.parametrize("what", ["layer", "loss"])
def test_what_is_custom_is_imported_by_name(
    front_end, what, files, monkeypatch, capsys
):
    layers = front_end.framework.layers
    monkeypatch.syspath_prepend(files)
    names = [f"{part}_{what}_{front_end.name}" for part in ("one", "other")]
    for name in names:
        framework = front_end.framework.__name__
        text = CUSTOM.format(framework=framework, package=name)
        (files / f"{name}.py").write_text(text)
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
    assert "that a module named by --import registers" in message
    assert ("Linear" if what == "layer" else "squared_error") in message

    _run(files, "--import", names[0], "--import", names[1])
    assert "100 mini-batches" in capsys.readouterr().out
