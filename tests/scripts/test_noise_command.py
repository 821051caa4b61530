"""The command reports on a training run of the scripts."""

import contextlib
import io
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
import yaml
from official.core import exp_factory
from official.core import task_factory
from official.modeling.optimization.optimizer_factory import OptimizerFactory

from keras_clip.noise.__main__ import main
from keras_clip.noise.sampling.task_gradients import TaskGradients
from tests.model_garden.test_training import TASKS

pytestmark = pytest.mark.slow


def _run(model_dir, output, *options):
    main(
        [
            str(model_dir),
            *("--num_samples", "60", "--batch_size", "2"),
            *("--output", str(output)),
            *options,
        ]
    )
    return json.loads(output.with_suffix(".json").read_text("utf-8"))


@pytest.fixture(scope="module")
def reported(pretrained, tmp_path_factory):
    """The report on the newest checkpoint, and the text that is printed."""
    output, printed = tmp_path_factory.mktemp("noise") / "noise", io.StringIO()
    with contextlib.redirect_stdout(printed):
        report = _run(pretrained, output)
    assert output.with_suffix(".png").stat().st_size > 10_000
    return report, printed.getvalue()


def test_it_reports_on_the_newest_checkpoint(reported):
    report, printed = reported
    assert "60 mini-batches of 2, training=True" in printed
    assert "estimated from 60 mini-batches" in printed
    assert report["num_samples"] == 60
    assert 0 < report["full_gradient_error"] < report["noise_norm"]["mean"]


def test_the_last_line_is_what_the_trainer_takes(reported):
    report, printed = reported
    config = exp_factory.get_exp_config("keras_clip/bert/pretraining")
    given = yaml.safe_load(printed.splitlines()[-1])
    config.override({"trainer": {"optimizer_config": given}}, is_strict=True)
    optimizer = OptimizerFactory(config.trainer.optimizer_config)
    threshold = optimizer.build_optimizer(0.5).get_config()["clip_threshold"]
    suggested = [
        suggestion["clip_threshold"]["config"].items()
        for name, suggestion in report["suggestions"].items()
        if name.startswith("adaptive")
    ]
    assert any(threshold["config"].items() >= items for items in suggested)


def test_the_data_may_be_others(reported, pretrained, data, tmp_path):
    heldout = str(data / "heldout-*.tfrecord")
    given = _run(pretrained, tmp_path / "given", heldout)
    assert given["loss"] != reported[0]["loss"]


def _complaint(capsys, *arguments):
    with pytest.raises(SystemExit) as error:
        _run(*arguments)
    assert error.value.code == 2
    return capsys.readouterr().err


def test_what_is_no_run_is_one_line(pretrained, tmp_path, capsys):
    message = _complaint(capsys, tmp_path, tmp_path / "noise")
    assert "params.yaml" in message and len(message.splitlines()) == 1
    shutil.copy(pretrained / "params.yaml", tmp_path)
    message = _complaint(capsys, tmp_path, tmp_path / "noise")
    assert "`model_dir` must hold a checkpoint" in message
    message = _complaint(
        capsys,
        pretrained,
        tmp_path / "noise",
        *("--experiment", "keras_clip/bert/squad"),
    )
    assert "`experiment` must be that of the run" in message


@pytest.mark.parametrize("name", TASKS)
def test_the_gradients_are_those_of_the_tasks_loss(name):
    params = exp_factory.get_exp_config(f"keras_clip/{name}")
    params.override({"task": TASKS[name]})
    task = task_factory.get_task(params.task)
    model = task.build_model()
    batch = next(iter(task.build_inputs(params.task.train_data)))
    batch = batch if isinstance(batch, tuple) else (batch,)
    gradients = TaskGradients(task, model)
    gradients.build(batch)
    for layer in model._flatten_layers():
        # Dropout would draw other masks for the two.
        if isinstance(layer, tf_keras.layers.Dropout):
            layer.rate = 0.0
    loss, actual, _ = gradients([], [], batch)
    labels = batch[-1]
    with tf.GradientTape() as tape:
        outputs = model(batch[0], training=True)
        expected_loss = task.build_losses(
            labels, outputs, *_metrics(task, name), aux_losses=model.losses
        )
    expected = tape.gradient(expected_loss, model.trainable_variables)
    np.testing.assert_allclose(float(loss), float(expected_loss), rtol=1e-6)
    assert len(actual) == len(expected) == len(gradients.paths)
    for a, e in zip(actual, expected, strict=True):
        e = np.zeros(a.shape) if e is None else tf.convert_to_tensor(e)
        np.testing.assert_allclose(a, e, rtol=1e-4, atol=1e-7)


def _metrics(task, name):
    if name == "bert/pretraining":
        return (task.build_metrics(training=True),)
    return ()


@pytest.mark.parametrize(
    "name", ["ckpt-3.index", "ckpt-3.data-00000-of-00001", "params.yaml"]
)
def test_a_damaged_run_is_one_line(pretrained, tmp_path, capsys, name):
    run = shutil.copytree(pretrained, tmp_path / "run")
    content = (run / name).read_bytes()
    (run / name).write_bytes(content[: len(content) // 2] + b"{")
    printed = _complaint(capsys, run, tmp_path / "noise")
    assert printed.count("\n") == 1
    assert "`model_dir` must" in printed or "`experiment` must" in printed


def test_damaged_records_are_one_line(pretrained, tmp_path, capsys):
    path = tmp_path / "a.tfrecord"
    path.write_text("no records, whatever they say")
    printed = _complaint(capsys, pretrained, tmp_path / "noise", str(path))
    assert printed.count("\n") == 1
    assert f"data='{path}'" in printed
