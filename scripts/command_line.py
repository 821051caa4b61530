"""What the command lines of the scripts share: parsing and one-line errors."""

import argparse
import difflib
import json
import logging
import os
import sys
import warnings
from collections.abc import Callable

# The optimizers of this package, and those that TF Model Garden 2.20 can build
# with their kinds of step, where `keras_clip.registry` has a name for them. To
# ask either takes ten seconds, too long for --help.
OPTIMIZERS = (
    "acclip",
    "gclip",
    "cclip",
    "clip_adam_norm",
    "clip_adagrad_norm",
    "clip_adam",
    "clip_adagrad",
)
MODEL_GARDEN_OPTIMIZERS = {
    "adamw": "coordinate",
    "adamw_experimental": "coordinate",
    "adam": "coordinate",
    "adam_experimental": "coordinate",
    "rmsprop": "coordinate",
    "adagrad": "fading coordinate",
    "sgd": "gradient",
    "sgd_experimental": "gradient",
    "lamb": None,
    "lars": None,
    "adafactor_keras": None,
}


class InputError(Exception):
    """Something that was given cannot be used; the message says what to do."""


class Divergence(Exception):
    """A run has left all bounds; the message says where and what to change."""


class Parser(argparse.ArgumentParser):
    """Parser whose errors take one line and whose help shows the defaults."""

    def __init__(self, description: str | None) -> None:
        """Makes a parser.

        Args:
            description: The script's docstring: what it does, an example.
        """
        super().__init__(description=description, formatter_class=_Formatter)
        self.register("action", "extend", _Extend)

    def error(self, message: str, status: int = 2):
        """Prints one line and exits.

        Args:
            message: What is wrong.
            status: Status of the exit. Defaults to 2.
        """
        self.exit(status, f"{self.prog}: error: {' '.join(message.split())}\n")


class _Extend(argparse.Action):
    """Adds to what was given before: argparse's own adds to the default too."""

    def __call__(self, parser, namespace, values, option_string=None):
        given = getattr(namespace, self.dest)
        given = [] if given is self.default else given
        setattr(namespace, self.dest, [*given, *values])


class _Formatter(
    argparse.RawDescriptionHelpFormatter,
    argparse.ArgumentDefaultsHelpFormatter,
):
    def _get_help_string(self, action):
        # That of a switch says nothing, or with store_false the contrary.
        if action.default in (None, []) or action.nargs == 0:
            return action.help
        return super()._get_help_string(action)


def integer(
    minimum: int, maximum: float = float("inf")
) -> Callable[[str], int]:
    """Returns a parser of integers from `minimum` to `maximum`."""
    bounds = f"of at least {minimum}"
    if maximum < float("inf"):
        bounds = f"from {minimum} to {maximum}"

    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = minimum - 1
        if not minimum <= value <= maximum:
            raise argparse.ArgumentTypeError(
                f"must be an integer {bounds}. Received: {text}"
            )
        return value

    return parse


def number(low: float, high: float) -> Callable[[str], float]:
    """Returns a parser of numbers between `low` and `high`."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(
                f"must be a number from {low} to {high}. Received: {text}"
            )
        return value

    return parse


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
        help="directory of the run; the same command goes on with what it has",
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
    """Checks what can be checked without importing TensorFlow.

    Args:
        arguments: The parsed command line.

    Raises:
        InputError: If a YAML file or the optimizer is not there.
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
                "`--config` must name YAML files that exist. "
                f"Received: --config={path}"
            )


def quieten() -> None:
    """Silences all but the errors of TensorFlow and Model Garden."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for message in ("pkg_resources is deprecated", "Input dict contained keys"):
        warnings.filterwarnings("ignore", message=message)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)


def main(parser: Parser, run: Callable[[argparse.Namespace], object]) -> None:
    """Runs a script, prints what it gives as JSON, makes errors one line.

    Args:
        parser: The script's parser.
        run: The script, from the parsed command line to its result.
    """
    quieten()
    try:
        result = run(parser.parse_args())
    except InputError as error:
        parser.error(str(error))
    except Divergence as error:
        parser.error(str(error), status=1)
    except OSError as error:
        parser.error(f"the system refuses: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    print(_shown(result, sys.stdout.encoding))


def _shown(result, encoding):
    """Returns JSON that can be read, as far as the encoding has it."""
    text = json.dumps(result, ensure_ascii=False)
    try:
        text.encode(encoding or "ascii")
    except UnicodeEncodeError:
        return json.dumps(result)
    return text
