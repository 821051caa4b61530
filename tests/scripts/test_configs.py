"""Every config that ships is what it says, builds, and takes a real step."""

import argparse
import math
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
import yaml
from official.core import task_factory
from tensorflow.python.ops.resource_variable_ops import UninitializedVariable

import pretrain_bert
from bert.training_arguments import check_training_arguments
from command_line import InputError
from tests.scripts.test_command_line import parser_of
from tests.support import tiny

CONFIGS = sorted(Path(pretrain_bert.__file__).parent.glob("configs/*.yaml"))
OPTIMIZERS = [path for path in CONFIGS if path.stem in ("acclip", "adam")]
OF_TASKS = [path for path in CONFIGS if path not in OPTIMIZERS]
# The sizes that leave the optimizer to another file.
SIZED = [path for path in OF_TASKS if path.stem.split("_")[1].isdigit()]
# What `--config` is given for every run that the configs are for.
RUNS = {
    **{path.stem: [path] for path in OF_TASKS if path not in SIZED},
    **{
        f"{size.stem}_{optimizer.stem}": [size, optimizer]
        for size in SIZED
        for optimizer in OPTIMIZERS
    },
}
EXPERIMENTS = {
    "bert": "pretraining",
    "squad": "squad",
    "cola": "sentence_prediction",
    "rte": "sentence_prediction",
}
# By the size in the name: layers, hidden size, and the parameters of a bare
# BERT, as published for a vocabulary of 30,522.
SIZES = {
    "tiny": (2, 128, 4_385_920),
    "mini": (4, 256, 11_170_560),
    "small": (4, 512, 28_763_648),
    "6": (6, 768, 66_955_008),
    "12": (12, 768, 109_482_240),
    "24": (24, 1024, 335_141_888),
}
# By the option that prepares the data.
SETTINGS = {
    "seq_length": "max_seq_length",
    "max_predictions_per_seq": "max_predictions_per_seq",
}
SETTINGS_OF_WINDOWS = {
    "query_length": "max_query_length",
    "doc_stride": "doc_stride",
}
# Two sequences of 16 tokens.
DATA = {"input_path": "dummy", "global_batch_size": 2, "seq_length": 16}


def build(paths, *overrides):
    experiment = EXPERIMENTS[paths[0].stem.split("_")[0]]
    options = ["--config", *paths]
    for override in overrides:
        options += ["--params_override", yaml.dump(override)]
    return tiny.built(experiment, *options)


def given(path):
    return yaml.safe_load(path.read_text("utf-8"))


def by_stem(path):
    return path.stem


@pytest.mark.parametrize("run", RUNS)
def test_a_config_is_what_its_name_says(run):
    params = build(RUNS[run])
    kind, size, *_ = run.split("_")
    encoder = params.task.model.encoder.get()
    # That of squad_tiny and squad_mini comes from `--pretrained`.
    if kind == "bert" or size.isdigit():
        assert (encoder.num_layers, encoder.hidden_size) == SIZES[size][:2]
    optimizer = params.trainer.optimizer_config.optimizer
    assert optimizer.type == ("adamw" if run.endswith("adam") else "acclip")
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


@pytest.mark.parametrize("path", OF_TASKS, ids=by_stem)
def test_a_config_begins_with_the_options_that_prepare_its_data(path):
    head, _ = path.read_text().split("\ntask:", 1)
    words = head.replace("\n# ", " ").partition("Its data: ")[2].split()
    parser = parser_of(path.parents[1] / words[0])
    prepared = vars(parser.parse_args(words[1:]))
    task = build([path]).task
    for data, settings in (
        (task.train_data, SETTINGS),
        (task.validation_data, SETTINGS | SETTINGS_OF_WINDOWS),
    ):
        for setting, option in settings.items():
            assert getattr(data, setting, None) == prepared.get(option)


def test_adam_and_acclip_differ_in_the_optimizer_alone():
    shared = {path.stem: given(path) for path in OPTIMIZERS}
    for name, config in shared.items():
        assert list(config) == ["trainer"]
        assert list(config["trainer"]) == ["optimizer_config"]
        assert list(config["trainer"]["optimizer_config"]) == ["optimizer"]
        others = [p for p in OF_TASKS if p.stem.endswith(f"_{name}")]
        assert len(others) == 2
        for path in others:
            optimizer = given(path)["trainer"]["optimizer_config"]["optimizer"]
            found = config["trainer"]["optimizer_config"]["optimizer"]
            assert optimizer == found, path.stem
    for task in ("cola", "rte"):
        one, other = (given(p) for p in OF_TASKS if p.stem.startswith(task))
        for config in (one, other):
            del config["trainer"]["optimizer_config"]["optimizer"]
        assert one == other, task


@pytest.mark.parametrize("path", SIZED, ids=by_stem)
def test_a_size_without_an_optimizer_is_trained_with_acclip(path):
    assert "optimizer" not in given(path)["trainer"]["optimizer_config"]
    acclip = build(RUNS[f"{path.stem}_acclip"])
    assert build([path]).as_dict() == acclip.as_dict()


@pytest.mark.parametrize("option", ["data_dir", "model_dir"])
def test_a_directory_with_a_comma_is_refused_before_training(option):
    given = {"data_dir": "data", "model_dir": "runs", option: "runs, too"}
    arguments = argparse.Namespace(optimizer=None, config=[], **given)
    end = f"splits paths. Received: --{option}=runs, too$"
    with pytest.raises(InputError, match=f"`--{option}` must .*{end}"):
        check_training_arguments(arguments)


def _what_is_said_of(config):
    arguments = argparse.Namespace(optimizer=None, config=[config])
    with pytest.raises(InputError) as caught:
        check_training_arguments(arguments)
    message = str(caught.value)
    start, end = "`--config` must name YAML files that exist", "Received: "
    assert message.startswith(start)
    assert message.endswith(f" {end}--config={config}")
    return message[len(start) : message.index(end) - 1]


@pytest.mark.parametrize("end", [".yaml", ""])
@pytest.mark.parametrize("run", [run for run in RUNS if len(RUNS[run]) > 1])
def test_the_one_file_of_a_size_and_an_optimizer_says_what_it_has_become(
    run, end
):
    path = CONFIGS[0].parent / f"{run}{end}"
    paths = " ".join(map(str, RUNS[run]))
    said = f"; {run}{end} has become --config {paths}."
    assert _what_is_said_of(str(path)) == said


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("bert_6", "; did you mean scripts/configs/bert_6.yaml?"),
        ("mine/acclip.yaml", "; did you mean scripts/configs/acclip.yaml?"),
        ("cola", "; did you mean scripts/configs/cola_adam.yaml?"),
        (
            "squad_24_adam",
            "; squad_24_adam has become --config scripts/configs/squad_24.yaml "
            "scripts/configs/adam.yaml.",
        ),
        ("nothing like it", "."),
    ],
)
def test_a_name_without_its_folder_or_ending_is_told_the_file(
    monkeypatch, config, said
):
    monkeypatch.chdir(CONFIGS[0].parents[2])
    assert _what_is_said_of(config) == said


def test_sizes_differ_in_their_size_and_learning_rate_alone():
    for kind in ("bert", "squad"):
        found = [given(p) for p in SIZED if p.stem.startswith(f"{kind}_")]
        for config in found:
            del config["task"]["model"]
            rate = config["trainer"]["optimizer_config"]["learning_rate"]
            del rate["polynomial"]["initial_learning_rate"]
        assert found == [found[0]] * 3


def test_the_size_of_a_model_is_the_same_in_pretraining_and_finetuning():
    for size in ("6", "12", "24"):
        one, other = (
            given(path)["task"]["model"]["encoder"]
            for path in SIZED
            if path.stem.endswith(f"_{size}")
        )
        assert one == other


def without_values(_, **settings):
    """Makes a variable that takes no memory."""
    names = ("shape", "dtype", "name", "trainable")
    return UninitializedVariable(**{name: settings[name] for name in names})


@pytest.mark.parametrize("size", SIZES)
def test_a_model_has_the_parameters_of_its_size(size):
    (path,) = (p for p in OF_TASKS if p.stem == f"bert_{size}")
    params = build([path])
    with tf.variable_creator_scope(without_values):
        model = task_factory.get_task(params.task).build_model()
    # The heads are built by the first step.
    shapes = [variable.shape for variable in model.trainable_variables]
    _, hidden, expected = SIZES[size]
    encoder = params.task.model.encoder.get()
    fewer = hidden * (512 - encoder.max_position_embeddings)
    assert sum(map(math.prod, shapes)) == expected - fewer


# Sizes differ in nothing that a model of two narrow layers has: those of 6
# layers stand for the others.
@pytest.mark.slow
@pytest.mark.parametrize(
    "run", [run for run in RUNS if "_12" not in run and "_24" not in run]
)
def test_a_config_builds_and_takes_a_real_step(run, functions_run_eagerly):
    thin = {"num_layers": 2, "hidden_size": 16, "num_attention_heads": 2}
    thin = {**thin, "intermediate_size": 64, "vocab_size": 100}
    model = {"encoder": {"bert": thin}}
    if run.startswith("bert"):
        (head,) = given(RUNS[run][0])["task"]["model"]["cls_heads"]
        model["cls_heads"] = [{**head, "inner_dim": 16}]
    if run.startswith(("cola", "rte")):
        model["num_classes"] = 2
    data = {"train_data": DATA, "validation_data": {"input_path": ""}}
    params = build(RUNS[run], {"task": {**data, "model": model}})
    task = task_factory.get_task(params.task)
    model = task.build_model()
    tf_keras.utils.set_random_seed(0)
    optimizer = task.create_optimizer(params.trainer.optimizer_config)
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
