"""Runs finetuning from a pretrained model, for all finetuning scripts."""

import argparse
import os
from collections.abc import Mapping

import command_line
from bert import prepared
from bert import training_arguments
from command_line import progress

PRETRAINING = "keras_clip/bert/pretraining"


def add_arguments(parser: command_line.Parser, script: str) -> None:
    """Adds the options of a finetuning script.

    Args:
        parser: The script's parser.
        script: The script that prepares the data.
    """
    add = parser.add_argument
    add(
        "--data_dir",
        required=True,
        metavar="DIR",
        help=f"what {script} has written",
    )
    add(
        "--pretrained",
        metavar="DIR",
        help="directory of a pretraining run; without it, weights are random",
    )
    training_arguments.add_training_arguments(parser)


def run(
    experiment: str,
    arguments: argparse.Namespace,
    sizes: Mapping[str, object],
    data: Mapping,
) -> dict[str, float]:
    """Finetunes and returns the metrics on the validation data.

    Args:
        experiment: Name of a registered experiment.
        arguments: The parsed command line, with options that were checked.
        sizes: Contents of `sizes.json`, which the preparation has written.
        data: The task's parameters that depend on the data.

    Returns:
        Dict from metric to value.

    Raises:
        InputError: If an argument or a file cannot be used.
    """
    if arguments.pretrained:
        prepared.check_vocabulary(arguments.data_dir, arguments.pretrained)
    progress.say("importing TensorFlow")
    # These take ten seconds to import, and are imported after the checks.
    from bert import checkpoints
    from bert import compatibility
    from bert import parameters
    from bert import saved_parameters
    from bert import training

    model = {**data.get("model", {})}
    if arguments.pretrained:
        pretraining = saved_parameters.read(
            PRETRAINING, "--pretrained", arguments.pretrained
        )
        checkpoints.required("--pretrained", arguments.pretrained)
        model["encoder"] = pretraining.task.model.encoder.as_dict()
        start = os.path.abspath(arguments.pretrained)
        data = {**data, "init_checkpoint": start}
    else:
        vocab_size = sizes["vocab_size"]
        model["encoder"] = {"type": "bert", "bert": {"vocab_size": vocab_size}}
    params = parameters.build(
        experiment, {"task": {**data, "model": model}}, arguments
    )
    compatibility.check_fit(params, sizes)
    if arguments.pretrained:
        compatibility.check_encoder(params, pretraining)
    return training.train(
        params, arguments.data_dir, arguments.model_dir, arguments.seed
    )
