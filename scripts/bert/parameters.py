"""Builds and checks parameters of Model Garden experiments.

The sources, of which later ones override earlier ones, are the registered
experiment, the data, YAML files, the pretrained model and the command line.
"""

import argparse
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping

from official.core import config_definitions
from official.core import exp_factory

import keras_clip.model_garden  # noqa: F401 registers the experiments
from bert import intervals
from bert import overrides
from bert import schedules
from bert.optimizer_names import MODEL_GARDEN_OPTIMIZERS
from command_line import InputError
from command_line import files
from keras_clip.registry import OPTIMIZERS
from keras_clip.registry import STEPS

# Names of learning rates in Model Garden's schedules.
_RATES = {"initial_learning_rate", "learning_rate", "values"}


def build(
    experiment: str,
    sources: Iterable[Mapping],
    arguments: argparse.Namespace,
    fit: Callable[[config_definitions.ExperimentConfig], None] | None = None,
) -> config_definitions.ExperimentConfig:
    """Returns the parameters of an experiment for a command line.

    Args:
        experiment: Name of a registered experiment.
        sources: Parameters that depend on the data and on the pretrained model,
            as nested dicts, later ones over earlier.
        arguments: The parsed `training_arguments.add_training_arguments`.
        fit: Changes the parameters after the YAML files, in place.

    Returns:
        The parameters.

    Raises:
        InputError: If a source has a key that does not exist, or a value that
            cannot be used.
    """
    params = exp_factory.get_exp_config(experiment)
    for source in sources:
        params.override(source, is_strict=True)
    optimizer = params.trainer.optimizer_config.optimizer
    suited = optimizer.type
    for path in arguments.config:
        with files.open_text("--config", path) as file:
            given = overrides.apply(params, file.read(), f"--config={path}")
        if _has_learning_rate(given):
            suited = optimizer.type
    if fit is not None:
        fit(params)
    configured_steps = params.trainer.train_steps
    options = [
        overrides.apply(params, given, source)
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
    intervals.check_numbers(params.trainer)
    schedules.complete(params)
    params.validate()
    if arguments.train_steps is not None and isinstance(configured_steps, int):
        by_hand = {
            name for given in options for name in given.get("trainer", {})
        }
        intervals.shorten(params.trainer, configured_steps, by_hand)
    intervals.check_multiple(params.trainer)
    return params


def _has_learning_rate(given):
    """Returns whether settings contain a learning rate."""
    config = given.get("trainer", {}).get("optimizer_config", {})
    return any(
        isinstance(schedule, Mapping) and _RATES & schedule.keys()
        for schedule in config.get("learning_rate", {}).values()
    )


def _check_step(name, suited):
    """Raises `InputError` if the learning rate is for another kind of step."""

    def step(name):
        info = OPTIMIZERS.get(name)
        return info.step if info else MODEL_GARDEN_OPTIMIZERS.get(name)

    here, there = step(name), step(suited)
    if here and there and here != there:
        start = ""
        if name in OPTIMIZERS:
            rate = OPTIMIZERS[name].starting_rate
            start = f", such as {rate:g} to start a Transformer with"
        raise InputError(
            f"`--learning_rate` must be given for {name}{start}: it "
            f"{STEPS[here]}, and that of the configuration is for {suited}, "
            f"which {STEPS[there]}. Received: {name} without a learning rate"
        )


def _options(params, arguments):
    """Yields the parameters and names of the command line's options."""
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
        schedules.stretch(params.trainer.optimizer_config, max(steps, 1))
    for text in arguments.params_override:
        yield f"--params_override={text}", text
