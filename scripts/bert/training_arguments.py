"""Adds and checks the options of the commands that train."""

import argparse
import difflib
import os
import pathlib
import re

from bert.optimizer_names import MODEL_GARDEN_OPTIMIZERS
from bert.optimizer_names import OPTIMIZERS
from command_line import InputError
from command_line import Parser
from command_line import integer
from command_line import number

# What one file of a size and an optimizer was called, before they were two.
_ONE_FILE = re.compile(r"((?:bert|squad)_(?:6|12|24))_(acclip|adam)")
_CONFIGS = pathlib.Path(__file__).parents[1] / "configs"


def add_training_arguments(parser: Parser) -> None:
    """Adds the options that all training scripts have.

    Args:
        parser: The script's parser.
    """
    add = parser.add_argument
    add(
        "--model_dir",
        required=True,
        metavar="DIR",
        help="directory of the run; the same command resumes the run in it",
    )
    add(
        "--config",
        nargs="+",
        action="extend",
        default=[],
        metavar="FILE",
        help="YAML files, later ones over earlier",
    )
    add(
        "--optimizer",
        metavar="TYPE",
        help=(
            f"of this package: {', '.join(OPTIMIZERS)}; of TF Model Garden: "
            f"{', '.join(MODEL_GARDEN_OPTIMIZERS)}; the configuration's "
            "otherwise"
        ),
    )
    add(
        "--learning_rate",
        type=number(0, 1e6),
        help=(
            "initial learning rate, after warm-up; the configuration's "
            "otherwise, if it suits the optimizer"
        ),
    )
    add(
        "--train_steps",
        type=integer(0),
        help=(
            "number of steps; warm-up and decay are stretched to it, and if it "
            "is less than the configuration's, checkpoints, summaries and "
            "loops come at least every tenth of it, evaluations as often as "
            "before, ten times at most"
        ),
    )
    add(
        "--seed",
        type=integer(0, 2**32 - 1),
        default=0,
        help="of weights, dropout and shuffling",
    )
    add(
        "--params_override",
        action="append",
        default=[],
        metavar="SETTINGS",
        help=(
            "over everything else, YAML such as 'runtime: "
            "{distribution_strategy: tpu}', or pairs as in TF Model Garden, "
            "such as trainer.max_to_keep=3,runtime.num_gpus=1; may be given "
            "more than once"
        ),
    )


def check_training_arguments(arguments: argparse.Namespace) -> None:
    """Checks options as far as possible without importing TensorFlow.

    Args:
        arguments: The parsed command line.

    Raises:
        InputError: If a YAML file or the optimizer does not exist, or a
            directory has a comma.
    """
    name = arguments.optimizer
    known = [*OPTIMIZERS, *MODEL_GARDEN_OPTIMIZERS]
    if name is not None and name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        raise InputError(
            f"`--optimizer` must be one of {', '.join(known)}"
            f"{''.join(f'; did you mean {other}?' for other in close) or '.'} "
            f"Received: --optimizer={name}"
        )
    for path in arguments.config:
        if not os.path.isfile(path):
            raise InputError(
                "`--config` must name YAML files that exist"
                f"{_instead(path)} Received: --config={path}"
            )
    for option in ("data_dir", "model_dir"):
        path = getattr(arguments, option)
        if "," in path:
            raise InputError(
                f"`--{option}` must have no comma, at which TF Model Garden "
                f"splits paths. Received: --{option}={path}"
            )


def _instead(path):
    """Returns the end of a sentence, with what to give instead of a config."""
    folder, name = os.path.split(path)
    stem = name.removesuffix(".yaml")
    ours = os.path.relpath(_CONFIGS)
    two = _ONE_FILE.fullmatch(stem)
    if two:
        files = [
            os.path.join(folder or ours, f"{part}.yaml")
            for part in two.groups()
        ]
        return f"; {name} has become --config {' '.join(files)}."
    known = [config.stem for config in _CONFIGS.glob("*.yaml")]
    close = difflib.get_close_matches(stem, known, n=1)
    if close:
        return f"; did you mean {os.path.join(ours, f'{close[0]}.yaml')}?"
    return "."
