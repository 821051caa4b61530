"""Parameters of Model Garden experiments, checked before anything is built.

Sources, later ones over earlier: the registered experiment, what the data
decide, YAML files, the command line.
"""

import argparse
import dataclasses
import difflib
import os
from collections.abc import Mapping

import files
import yaml
from command_line import MODEL_GARDEN_OPTIMIZERS
from command_line import InputError
from official.core import config_definitions
from official.core import exp_factory
from official.modeling import hyperparams
from official.modeling.hyperparams import base_config
from official.modeling.hyperparams import oneof

import keras_clip.model_garden  # noqa: F401 registers the experiments
from keras_clip.registry import OPTIMIZERS
from keras_clip.registry import STEPS

# What the schedules of Model Garden call their learning rates.
_RATES = {"initial_learning_rate", "learning_rate", "values"}
_LEAST_STEPS = {
    "train_steps": 0,
    "steps_per_loop": 1,
    "validation_interval": 1,
    "summary_interval": 1,
}
# What the YAML loader and Model Garden raise at a value that cannot be.
_NO_VALUE = (
    AttributeError,
    KeyError,
    RecursionError,
    TypeError,
    ValueError,
)


def build(
    experiment: str, data: Mapping, arguments: argparse.Namespace
) -> config_definitions.ExperimentConfig:
    """Returns the parameters of an experiment for a command line.

    Args:
        experiment: Name of a registered experiment.
        data: What the data decide, as nested dicts.
        arguments: The parsed `command_line.add_training_arguments`.

    Returns:
        The parameters.

    Raises:
        InputError: If a source has a key that does not exist, or a value that
            cannot be used.
    """
    params = exp_factory.get_exp_config(experiment)
    params.override(data, is_strict=True)
    optimizer = params.trainer.optimizer_config.optimizer
    suited = optimizer.type
    for path in arguments.config:
        with files.open_text("--config", path) as file:
            given = _override(params, file.read(), f"--config={path}")
        if _has_learning_rate(given):
            suited = optimizer.type
    options = [
        _override(params, given, source)
        for source, given in _options(params, arguments)
    ]
    if not any(map(_has_learning_rate, options)):
        _check_step(optimizer.type, suited)
    if params.task.train_data.seed is None:
        params.task.train_data.seed = arguments.seed
    if not isinstance(params.task.train_data.seed, int):
        raise InputError(
            "`task.train_data.seed` must be an integer. "
            f"Received: seed={params.task.train_data.seed!r}"
        )
    _complete_schedule(params)
    params.validate()
    _check_intervals(params.trainer)
    return params


def saved(
    experiment: str, argument: str, model_dir: str
) -> config_definitions.ExperimentConfig:
    """Returns the parameters that a run has left in its directory.

    Args:
        experiment: Name of the run's experiment.
        argument: Name of the command line's argument, for the error.
        model_dir: Directory of the run.

    Returns:
        The parameters.

    Raises:
        InputError: If it is not the directory of such a run.
    """
    path = os.path.join(model_dir, "params.yaml")
    if not os.path.exists(path):
        raise InputError(
            f"`{argument}` must be the directory of a training run; it has no "
            f"params.yaml. Received: {argument}={model_dir}"
        )
    params = exp_factory.get_exp_config(experiment)
    with files.open_text(argument, path) as file:
        _override(params, file.read(), f"{argument}={model_dir}")
    return params


def write(params: config_definitions.ExperimentConfig, model_dir: str) -> None:
    """Writes all parameters to a run's directory.

    Args:
        params: Parameters of the run.
        model_dir: Its directory.
    """
    with files.whole(os.path.join(model_dir, "params.yaml")) as partial:
        hyperparams.save_params_dict_to_yaml(params, partial)


def _override(params, given, source):
    """Overrides with nested dicts or a YAML file's text; returns the dicts."""
    if isinstance(given, str):
        try:
            # Model Garden has taught this loader to read 1e-3 as a number
            # (official/modeling/hyperparams/params_dict.py, 2.20.0).
            given = yaml.full_load(given)
        # It also lets pass what Python has against a date, a number or depth.
        except (yaml.YAMLError, *_NO_VALUE) as error:
            raise InputError(
                f"`{source}` must be YAML: {error}. Received: {source}"
            ) from error
    given = {} if given is None else given
    try:
        _check_keys(given, params, (), source)
        params.override(given, is_strict=True)
    except _NO_VALUE as error:
        raise InputError(
            f"`{source}` must be settings that fit: {error}. Received: {source}"
        ) from error
    return given


def _check_keys(given, config, path, source):
    """Raises `InputError` at the first key or value that cannot be meant."""
    where = ".".join(path)
    if not isinstance(given, Mapping):
        raise InputError(
            f"`{where or 'YAML'}` must be a mapping of settings. "
            f"Received: {given!r} from {source}"
        )
    known = [field.name for field in dataclasses.fields(config)]
    for key, value in given.items():
        name = ".".join((*path, str(key)))
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            raise InputError(
                f"`{name}` must be a setting that exists, such as "
                f"{', '.join(close or sorted(known))}. "
                f"Received: {key}={value!r} from {source}"
            )
        default = getattr(config, key)
        if isinstance(config, oneof.OneOfConfig) and key == "type":
            choices = [choice for choice in known if choice != "type"]
            if value is not None and value not in choices:
                raise InputError(
                    f"`{name}` must be one of {', '.join(choices)}. "
                    f"Received: type={value!r} from {source}"
                )
        elif key == "clip_threshold" and isinstance(
            value, Mapping | int | float | None
        ):
            # A schedule has arguments that the optimizer knows best.
            continue
        elif isinstance(default, base_config.Config):
            _check_keys(value, default, (*path, key), source)
        elif isinstance(default, int | float) and not isinstance(
            value, int | float | None
        ):
            raise InputError(
                f"`{name}` must be a number. "
                f"Received: {key}={value!r} from {source}"
            )


def _has_learning_rate(given):
    """Returns whether settings say what the learning rate is."""
    config = given.get("trainer", {}).get("optimizer_config", {})
    schedules = config.get("learning_rate", {}).values()
    return any(
        isinstance(schedule, Mapping) and _RATES & schedule.keys()
        for schedule in schedules
    )


def _check_step(name, suited):
    """Raises `InputError` if the learning rate is for another kind of step."""

    def step(name):
        info = OPTIMIZERS.get(name)
        return info.step if info else MODEL_GARDEN_OPTIMIZERS.get(name)

    here, there = step(name), step(suited)
    if here and there and here != there:
        raise InputError(
            f"`--learning_rate` must be given for {name}, which {STEPS[here]}: "
            f"that of the configuration is for {suited}, which {STEPS[there]}. "
            f"Received: {name} without a learning rate"
        )


def _options(params, arguments):
    """Yields what the command line's options stand for, with their names."""
    schedule = params.trainer.optimizer_config.learning_rate

    def optimizer_config(given):
        return {"trainer": {"optimizer_config": given}}

    if arguments.optimizer:
        yield (
            f"--optimizer={arguments.optimizer}",
            optimizer_config({"optimizer": {"type": arguments.optimizer}}),
        )
    if arguments.learning_rate is not None:
        given = {"initial_learning_rate": arguments.learning_rate}
        yield (
            f"--learning_rate={arguments.learning_rate}",
            optimizer_config({"learning_rate": {schedule.type: given}}),
        )
    if arguments.train_steps is not None:
        steps = arguments.train_steps
        source = f"--train_steps={steps}"
        yield source, {"trainer": {"train_steps": steps}}
        _stretch_schedule(params.trainer.optimizer_config, max(steps, 1))
    for text in arguments.params_override:
        yield f"--params_override={text}", text


def _stretch_schedule(config, steps):
    """Makes decay and warm-up take another number of steps."""
    schedule, warmup = config.learning_rate.get(), config.warmup.get()
    if not getattr(schedule, "decay_steps", None):
        return
    if warmup is not None and warmup.warmup_steps:
        share = warmup.warmup_steps / schedule.decay_steps
        warmup.warmup_steps = max(round(share * steps), 1)
    schedule.decay_steps = steps


def _complete_schedule(params):
    """Fills in what the schedule leaves open, from the number of steps."""
    steps = max(params.trainer.train_steps, 1)
    schedule = params.trainer.optimizer_config.learning_rate.get()
    if getattr(schedule, "decay_steps", steps) is None:
        schedule.decay_steps = steps
    warmup = params.trainer.optimizer_config.warmup.get()
    if warmup is not None and warmup.warmup_steps is None:
        warmup.warmup_steps = max(steps // 10, 1)
    decay_steps = getattr(schedule, "decay_steps", None)
    if warmup and decay_steps and warmup.warmup_steps > decay_steps:
        raise InputError(
            "`trainer.optimizer_config.warmup` must be shorter than the decay, "
            f"{decay_steps} steps; the learning rate would stay 0. Received: "
            f"warmup_steps={warmup.warmup_steps}"
        )


def _check_intervals(trainer):
    """Orbit writes summaries at the end of a loop."""
    for name, least in _LEAST_STEPS.items():
        value = getattr(trainer, name)
        if not isinstance(value, int) or value < least:
            raise InputError(
                f"`trainer.{name}` must be an integer of at least {least}. "
                f"Received: {name}={value}"
            )
    if trainer.summary_interval % trainer.steps_per_loop:
        raise InputError(
            "`trainer.summary_interval` must be a multiple of steps_per_loop, "
            f"{trainer.steps_per_loop}. "
            f"Received: summary_interval={trainer.summary_interval}"
        )
