"""Model Garden's unmodified trainer with the optimizers of this package."""

import importlib
import sys

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
import yaml
from official.core import exp_factory
from official.core import task_factory
from official.core import train_lib

import keras_clip.model_garden  # noqa: F401 registers the experiments
from keras_clip.registry import OPTIMIZERS
from tests.noise.test_optional_packages import hide
from tests.support.programs.launch import launch
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow

ENCODER = {
    "type": "bert",
    "bert": {
        "num_layers": 1,
        "hidden_size": 16,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "vocab_size": 50,
        "max_position_embeddings": 16,
        # Dropout would draw anew after a break.
        "dropout_rate": 0.0,
        "attention_dropout_rate": 0.0,
    },
}
DATA = {"input_path": "dummy", "global_batch_size": 2, "seq_length": 16}
TASKS = {
    "bert/pretraining": {
        "model": {
            "encoder": ENCODER,
            "cls_heads": [
                {"inner_dim": 16, "num_classes": 2, "name": "next_sentence"}
            ],
        },
        "train_data": {**DATA, "max_predictions_per_seq": 4},
        "validation_data": {**DATA, "max_predictions_per_seq": 4},
    },
    "bert/squad": {"model": {"encoder": ENCODER}, "train_data": DATA},
    "bert/sentence_prediction": {
        "model": {"encoder": ENCODER, "num_classes": 2},
        "train_data": DATA,
    },
}
TRAINER = {
    "train_steps": 3,
    "steps_per_loop": 1,
    "summary_interval": 1,
    "checkpoint_interval": 3,
    "optimizer_config": {
        "learning_rate": {
            "polynomial": {"initial_learning_rate": 0.1, "decay_steps": 10}
        },
        "warmup": {"polynomial": {"warmup_steps": 1}},
    },
}


def one_device():
    return tf.distribute.OneDeviceStrategy("/cpu:0")


def mirrored():
    return tf.distribute.MirroredStrategy(["/cpu:0"])


def run(experiment, model_dir, strategy, optimizer=None, steps=3):
    params = exp_factory.get_exp_config(experiment)
    params.override({"task": TASKS[experiment.removeprefix("keras_clip/")]})
    params.override({"trainer": {**TRAINER, "train_steps": steps}})
    if optimizer:
        params.trainer.optimizer_config.override({"optimizer": optimizer})
    tf_keras.utils.set_random_seed(0)
    with strategy.scope():
        task = task_factory.get_task(params.task)
        runner = train_lib.OrbitExperimentRunner(
            strategy, task, "train", params, str(model_dir)
        )
        trainer = runner.trainer
        # The heads are only built by the first step.
        variables = list(trainer.model.trainable_variables)
        before = [variable.numpy() for variable in variables]
        runner.run()
    moved = [
        not np.array_equal(old, variable.numpy())
        for old, variable in zip(before, variables, strict=True)
    ]
    return trainer, moved


@pytest.mark.parametrize(
    ("experiment", "optimizer", "strategy"),
    [
        # The trainer's default strategy first.
        ("bert/pretraining", "acclip", mirrored),
        ("bert/squad", "clip_adam_norm", one_device),
        ("bert/sentence_prediction", "cclip", one_device),
    ],
)
def test_the_trained_models_optimizer_is_ours_and_weights_moved(
    experiment, optimizer, strategy, tmp_path
):
    name = f"keras_clip/{experiment}"
    trainer, moved = run(name, tmp_path, strategy(), {"type": optimizer})
    assert type(trainer.optimizer) is OPTIMIZERS[optimizer].tf_keras_class
    assert trainer.optimizer.iterations.numpy() == 3
    assert trainer.optimizer.update_count.numpy() == 3
    # The pooler of SQuAD's encoder has no gradient.
    assert sum(moved) > 0.8 * len(moved)


def test_a_run_goes_on_bitwise_from_its_checkpoint(tmp_path):
    strategy = one_device()
    # The one with the most kinds of state.
    optimizer = {
        "type": "clip_adam_norm",
        "clip_adam_norm": {
            "delay": 2,
            "clip_threshold": {"class_name": "AdaptiveThreshold"},
        },
    }
    name = "keras_clip/bert/squad"
    whole, _ = run(name, tmp_path / "whole", strategy, optimizer, steps=4)
    run(name, tmp_path / "parts", strategy, optimizer, steps=2)
    parts, _ = run(name, tmp_path / "parts", strategy, optimizer, steps=4)
    assert parts.global_step.numpy() == 4
    one, other = (
        [
            variable.numpy()
            for part in (run.model.trainable_variables, run.optimizer.variables)
            for variable in part
        ]
        for run in (whole, parts)
    )
    assert same_bits(one, other)


def test_a_stock_experiment_still_trains(tmp_path):
    trainer, moved = run("bert/squad", tmp_path, one_device())
    assert type(trainer.optimizer).__name__ == "AdamWeightDecay"
    assert any(moved)


def test_the_unmodified_driver_sees_us_through_a_gin_file(tmp_path):
    gin = tmp_path / "import.gin"
    gin.write_text("import keras_clip.model_garden\n")
    override = tmp_path / "override.yaml"
    trainer = {**TRAINER, "train_steps": 2}
    override.write_text(
        yaml.dump({"task": TASKS["bert/squad"], "trainer": trainer})
    )
    done = launch(
        *("-m", "official.nlp.train"),
        "--experiment=keras_clip/bert/squad",
        "--mode=train",
        f"--model_dir={tmp_path / 'run'}",
        f"--gin_file={gin}",
        f"--config_file={override}",
        "--params_override=trainer.optimizer_config.optimizer.acclip.alpha"
        "=1.5,trainer.optimizer_config.optimizer.acclip.beta_2=0.95",
        backend="tensorflow",
    )
    assert done.returncode == 0, done.stderr[-3000:]
    params = (tmp_path / "run" / "params.yaml").read_text()
    assert "type: acclip" in params
    assert "alpha: 1.5" in params
    assert "beta_2: 0.95" in params
    reader = tf.train.load_checkpoint(
        tf.train.latest_checkpoint(str(tmp_path / "run"))
    )
    count = "optimizer/update_count/.ATTRIBUTES/VARIABLE_VALUE"
    assert reader.get_tensor(count) == 2


def test_without_model_garden_the_error_names_the_pip_command(monkeypatch):
    hide(monkeypatch, "official")
    for name in list(sys.modules):
        if name.startswith("keras_clip.model_garden"):
            monkeypatch.delitem(sys.modules, name)
    message = (
        "^`keras_clip.model_garden` needs.*"
        "pip install tf-models-official tensorflow-text"
    )
    with pytest.raises(ImportError, match=message):
        importlib.import_module("keras_clip.model_garden")
