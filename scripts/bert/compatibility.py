"""Checks that parameters fit the data, optimizer, encoder and directory."""

import os
from collections.abc import Mapping

import yaml
from official.core import config_definitions
from official.modeling import optimization

from bert import records
from command_line import InputError

# Parameters that the final weights of a run depend on. Others, such as the
# devices and the intervals of evaluations, may change when it is resumed.
_DECISIVE = (
    ("task", "model"),
    ("task", "train_data"),
    ("task", "init_checkpoint"),
    ("task", "scale_loss"),
    ("trainer", "optimizer_config"),
)
# Names of the settings of records, and of their windows over paragraphs, in the
# scripts that prepare them.
_PREPARED = {
    "seq_length": "max_seq_length",
    "max_predictions_per_seq": "max_predictions_per_seq",
}
_WINDOWS = {"query_length": "max_query_length", "doc_stride": "doc_stride"}


def check_directory(
    params: config_definitions.ExperimentConfig, model_dir: str
) -> None:
    """Checks that a directory is new or holds a run of the same parameters.

    Args:
        params: Parameters of the run to come.
        model_dir: Its directory.

    Raises:
        InputError: If the directory holds another run.
    """
    path = os.path.join(model_dir, "params.yaml")
    if not os.path.exists(path):
        return
    try:
        with open(path, encoding="utf-8") as file:
            there = _flat(yaml.full_load(file))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(
            "`--model_dir` must be new or hold a run; its params.yaml cannot "
            f"be read: {error}. Received: --model_dir={model_dir}"
        ) from error
    here = _flat(params.as_dict())
    for key in sorted(there.keys() | here.keys()):
        decisive = any(key[: len(start)] == start for start in _DECISIVE)
        if decisive and there.get(key) != here.get(key):
            raise InputError(
                "`--model_dir` must be new or hold a run of the same "
                f"configuration; there {'.'.join(key)}={there.get(key)}, here "
                f"{'.'.join(key)}={here.get(key)}. Take another directory or "
                f"delete this one. Received: --model_dir={model_dir}"
            )


def check_fit(
    params: config_definitions.ExperimentConfig, sizes: Mapping[str, int]
) -> None:
    """Checks that the model fits the prepared data.

    Args:
        params: Parameters of the run.
        sizes: Contents of `sizes.json`, which the preparation has written.

    Raises:
        InputError: If the sequences or the vocabulary do not fit.
    """
    encoder = params.task.model.encoder.get()
    if encoder is None:
        raise InputError(
            "`task.model.encoder.type` must be given, such as bert. "
            "Received: type=None"
        )
    _check_sizes(params.task, encoder, sizes)
    _check_labels(params.task, sizes)
    for name in ("train_data", "validation_data"):
        data = getattr(params.task, name)
        given = getattr(data, "version_2_with_negative", None)
        if "unanswerable" in sizes and given != sizes["unanswerable"]:
            raise InputError(
                f"`task.{name}.version_2_with_negative` must be "
                f"{sizes['unanswerable']}, as the data were prepared; leave it "
                f"out and it is that. Received: version_2_with_negative={given}"
            )
    if encoder.vocab_size < sizes["vocab_size"]:
        raise InputError(
            "`task.model.encoder.bert.vocab_size` must be at least "
            f"{sizes['vocab_size']}, the pieces of the data's vocabulary; "
            "leave it out and it is that. "
            f"Received: vocab_size={encoder.vocab_size}"
        )
    if encoder.max_position_embeddings < sizes["max_seq_length"]:
        raise InputError(
            "`task.model.encoder.bert.max_position_embeddings` must be at "
            f"least {sizes['max_seq_length']}, the length of the data's "
            "sequences. Received: max_position_embeddings="
            f"{encoder.max_position_embeddings}"
        )


def check_encoder(
    params: config_definitions.ExperimentConfig, encoder: Mapping[str, object]
) -> None:
    """Checks that the encoder is the one that was pretrained.

    Args:
        params: Parameters of a run.
        encoder: Settings of the pretrained encoder.

    Raises:
        InputError: If the encoders differ.
    """
    here = params.task.model.encoder.get().as_dict()
    for name, value in encoder.items():
        if here.get(name) != value and not _has_no_weights(name):
            raise InputError(
                f"`task.model.encoder.bert.{name}` must be {value} as "
                "--pretrained has it; leave the encoder out and it is that. "
                f"Received: {name}={here.get(name)}"
            )


def fit_encoder(
    params: config_definitions.ExperimentConfig, encoder: Mapping[str, object]
) -> dict[str, object]:
    """Replaces the encoder by the one that was pretrained.

    Args:
        params: Parameters of a run, changed in place.
        encoder: Settings of the pretrained encoder.

    Returns:
        The replaced settings, with their values before. Dropout is not
        replaced.
    """
    model = params.task.model
    before = model.encoder.get().as_dict() if model.encoder.type else {}
    fitted = {k: v for k, v in encoder.items() if not _has_no_weights(k)}
    model.encoder.override({"type": "bert", "bert": fitted})
    return {
        name: before[name]
        for name, value in fitted.items()
        if name in before and before[name] != value
    }


def check_optimizer(params: config_definitions.ExperimentConfig) -> None:
    """Checks the optimizer's arguments by building it.

    Several workers must be connected first, as before any use of TensorFlow.

    Args:
        params: Parameters of the run.

    Raises:
        InputError: If the optimizer or its schedule cannot be built.
    """
    config = params.trainer.optimizer_config
    try:
        factory = optimization.OptimizerFactory(config)
        factory.build_optimizer(factory.build_learning_rate())
    except Exception as error:
        # gin adds lines on the place of the error in Model Garden.
        reason = str(error).partition("\n")[0]
        raise InputError(
            "`trainer.optimizer_config` must be one that works; "
            f"{config.optimizer.type}: {reason}"
        ) from error


def _has_no_weights(name):
    """Returns whether a setting of an encoder may be another later."""
    return "dropout" in name or name == "initializer_range"


def _check_sizes(task, encoder, sizes):
    """Checks the sizes that the records determine."""
    names = ("train_data", "validation_data")
    for setting, option in _PREPARED.items():
        size = sizes.get(option)
        for name in names:
            data = getattr(task, name)
            value = getattr(data, setting, size)
            # Questions are split into windows when the run starts.
            if size in (None, value) or records.hold_questions(data):
                continue
            way_out = "with " + " ".join(
                f"--{option} {getattr(source, setting)}"
                for source, options in (
                    (data, _PREPARED),
                    (task.validation_data, _WINDOWS),
                )
                for setting, option in options.items()
                if hasattr(source, setting)
            )
            if size <= encoder.max_position_embeddings:
                way_out += ", or fit it to these data with --params_override "
                way_out += ",".join(f"task.{n}.{setting}={size}" for n in names)
            raise InputError(
                f"`task.{name}.{setting}` must be {size}, what the data were "
                f"prepared with as --{option}. Prepare data for this "
                f"configuration {way_out}. Received: {setting}={value}"
            )


def _check_labels(task, sizes):
    """Checks that a task on sentences is the one of the data."""
    if "labels" not in sizes:
        return
    for name, given, expected in (
        (
            "model.num_classes",
            task.model.num_classes,
            len(sizes["labels"]) or 1,
        ),
        ("metric_type", task.metric_type, sizes["metric"]),
    ):
        if given != expected:
            raise InputError(
                f"`task.{name}` must be {expected}, as the data were prepared; "
                "take a configuration for them, or none. Received: "
                f"{name.rpartition('.')[2]}={given}"
            )


def _flat(settings, path=()):
    """Returns nested settings as a dict from paths to values."""
    if not isinstance(settings, Mapping):
        return {path: settings}
    return {
        key: value
        for name, inner in settings.items()
        for key, value in _flat(inner, (*path, name)).items()
    }
