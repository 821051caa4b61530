"""Runs a training script, from a pretrained model or from random weights."""

import argparse
import os
from collections.abc import Mapping

import command_line
from bert import pretrained
from bert import training_arguments
from command_line import progress


def add_arguments(parser: command_line.Parser, script: str) -> None:
    """Adds the options of a training script.

    Args:
        parser: The script's parser.
        script: The script that prepares the data.
    """
    parser.add_argument(
        "--data_dir",
        required=True,
        metavar="DIR",
        help=f"what {script} has written",
    )
    pretrained.add_argument(parser)
    training_arguments.add_training_arguments(parser)


def run(
    experiment: str,
    arguments: argparse.Namespace,
    sizes: Mapping[str, object],
    task: Mapping,
    recipe: Mapping,
) -> dict[str, float]:
    """Trains and returns the metrics on the validation data.

    Args:
        experiment: Name of a registered experiment.
        arguments: The parsed command line, with options that were checked.
        sizes: Contents of `sizes.json`, which the preparation has written.
        task: The task's parameters that depend on the data, as nested dicts.
        recipe: Parameters of a run without a configuration, as nested dicts.

    Returns:
        Dict from metric to value.

    Raises:
        InputError: If an argument or a file cannot be used.
    """
    directory = arguments.pretrained
    if directory is not None:
        pretrained.check(directory, arguments.data_dir, sizes)
        if os.path.realpath(directory) == os.path.realpath(arguments.model_dir):
            raise command_line.InputError(
                "`--model_dir` must be another directory than --pretrained. "
                f"Received: --model_dir={arguments.model_dir}"
            )
    progress.say("importing TensorFlow")
    # These take ten seconds to import, and are imported after the checks.
    from bert import checkpoints
    from bert import compatibility
    from bert import parameters
    from bert import training

    encoder = {"vocab_size": sizes["vocab_size"]}
    start = {"model": {"encoder": {"type": "bert", "bert": encoder}}}
    if directory is not None:
        start = pretrained.settings(directory)
        encoder = start["model"]["encoder"]["bert"]

    def fit(params):
        if directory is not None:
            replaced = compatibility.fit_encoder(params, encoder)
            pretrained.fit_heads(params, directory)
            pretrained.report(directory, encoder, replaced)

    sources = [{"task": task}, {"task": start}]
    if not arguments.config:
        sources.insert(0, recipe)
    params = parameters.build(experiment, sources, arguments, fit)
    compatibility.check_fit(params, sizes)
    if directory is not None:
        compatibility.check_encoder(params, encoder)
    elif not checkpoints.newest("--model_dir", arguments.model_dir):
        progress.say("starting from random weights, without --pretrained")
    if not arguments.config:
        _report(params)
    return training.train(
        params, arguments.data_dir, arguments.model_dir, arguments.seed
    )


def _report(params):
    """Says what a run does of which the command line says little."""
    config = params.trainer.optimizer_config
    rate = getattr(config.learning_rate.get(), "initial_learning_rate", None)
    progress.say(
        f"taking {params.trainer.train_steps:,} steps of "
        f"{params.task.train_data.global_batch_size} examples with "
        f"{config.optimizer.type}, learning rate {rate}, without --config"
    )
