"""Every config that ships is what it says, builds, and takes a real step."""

import argparse
import gc
import importlib
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
import yaml
from official.core import task_factory

import pretrain_bert
from bert import parameters

CONFIGS = sorted(Path(pretrain_bert.__file__).parent.glob("configs/*.yaml"))
EXPERIMENTS = {
    "bert": "pretraining",
    "squad": "squad",
    "cola": "sentence_prediction",
    "rte": "sentence_prediction",
}
# By the size in the name: layers and hidden size.
SIZES = {
    "tiny": (2, 128),
    "mini": (4, 256),
    "small": (4, 512),
    "6": (6, 768),
    "12": (12, 768),
    "24": (24, 1024),
}
# Two sequences of 16 tokens, so that a test can afford a model of 110 million
# parameters. The vocabulary stays BERT's.
DATA = {"input_path": "dummy", "global_batch_size": 2, "seq_length": 16}


def build(path, *overrides):
    kind = path.stem.split("_")[0]
    arguments = argparse.Namespace(
        config=[str(path)],
        optimizer=None,
        learning_rate=None,
        train_steps=None,
        seed=0,
        params_override=[yaml.dump(override) for override in overrides],
    )
    data = {"task": {"model": {"encoder": {"type": "bert"}}}}
    if kind in ("cola", "rte"):
        data["task"]["model"]["num_classes"] = 2
    return parameters.build(
        f"keras_clip/bert/{EXPERIMENTS[kind]}", data, arguments
    )


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_config_is_what_its_name_says(path):
    params = build(path)
    kind, *rest = path.stem.split("_")
    encoder = params.task.model.encoder.get()
    for part in rest:
        if part in SIZES:
            assert (
                kind == "squad"
                and part in ("tiny", "mini")
                or ((encoder.num_layers, encoder.hidden_size) == SIZES[part])
            )
    optimizer = params.trainer.optimizer_config.optimizer
    assert optimizer.type == ("adamw" if rest[-1] == "adam" else "acclip")
    excluded = optimizer.get().exclude_from_weight_decay
    assert list(excluded) == ["LayerNorm", "layer_norm", "bias"]
    schedule = params.trainer.optimizer_config.learning_rate.get()
    assert schedule.decay_steps == params.trainer.train_steps
    assert schedule.end_learning_rate == 0
    if kind == "bert":
        assert params.task.scale_loss
        (head,) = params.task.model.cls_heads
        assert head.inner_dim == encoder.hidden_size
    else:
        assert params.trainer.best_checkpoint_export_subdir == "best"
    if kind == "squad":
        assert params.trainer.best_checkpoint_eval_metric == "final_f1"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_config_begins_with_the_options_that_prepare_its_data(path):
    head, _ = path.read_text().split("\ntask:", 1)
    words = head.replace("\n# ", " ").partition("Its data: ")[2].split()
    script = importlib.import_module(words[0].removesuffix(".py"))
    parser = script.parser()
    for action in parser._actions:
        action.required = False
    for group in parser._mutually_exclusive_groups:
        group.required = False
    prepared = vars(parser.parse_args(words[1:]))
    task = build(path).task
    for data in (task.train_data, task.validation_data):
        for setting, option in (
            ("seq_length", "max_seq_length"),
            ("max_predictions_per_seq", "max_predictions_per_seq"),
        ):
            assert getattr(data, setting, None) == prepared.get(option)
    for setting, option in (
        ("query_length", "max_query_length"),
        ("doc_stride", "doc_stride"),
    ):
        value = getattr(task.validation_data, setting, None)
        assert value == prepared.get(option)


def test_adam_and_acclip_differ_in_the_optimizer_alone():
    for path in CONFIGS:
        if not path.stem.endswith("_acclip"):
            continue
        one, other = (
            yaml.safe_load(p.read_text())
            for p in (path, Path(str(path).replace("acclip", "adam")))
        )
        for config in (one, other):
            del config["trainer"]["optimizer_config"]["optimizer"]
        assert one == other, path.stem


# Adam's configs differ from ACClip's in the optimizer alone: those of 6 layers
# stand for the others.
STEPPED = [
    path
    for path in CONFIGS
    if not path.stem.endswith("_adam") or "_6_" in path.stem
]


@pytest.fixture
def freed():
    """Frees models of gigabytes once nothing of a test refers to them."""
    yield
    tf_keras.backend.clear_session()
    gc.collect()


@pytest.mark.usefixtures("freed")
@pytest.mark.parametrize("path", STEPPED, ids=lambda path: path.stem)
def test_a_config_builds_and_takes_a_real_step(path):
    params = build(
        path,
        {"task": {"train_data": DATA, "validation_data": {"input_path": ""}}},
    )
    task = task_factory.get_task(params.task)
    model = task.build_model()
    tf_keras.utils.set_random_seed(0)
    optimizer = task.create_optimizer(params.trainer.optimizer_config)
    if "24" not in path.stem:
        inputs = next(iter(task.build_inputs(params.task.train_data)))
        warmup = params.trainer.optimizer_config.warmup.get()
        optimizer.iterations.assign(warmup.warmup_steps)
        kernel = max(model.trainable_variables, key=lambda v: v.shape[0])
        before = kernel.numpy()
        metrics = task.build_metrics(training=True)
        logs = task.train_step(inputs, model, optimizer, metrics)
        assert np.isfinite(float(tf.reduce_sum(logs["loss"])))
        assert int(optimizer.iterations) == warmup.warmup_steps + 1
        assert not np.array_equal(kernel.numpy(), before)
    else:
        sizes = [np.prod(v.shape) for v in model.trainable_variables]
        assert sum(sizes) > 3e8
