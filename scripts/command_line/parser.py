"""Parses a command line, runs the command and prints errors in one line."""

import argparse
import json
import logging
import os
import sys
import warnings
from collections.abc import Callable

from command_line.errors import Divergence
from command_line.errors import InputError

_OF_MODEL_GARDEN = (
    "official",
    # setuptools 82 has removed it, and tensorflow_hub 0.16 imports it.
    "pkg_resources",
    "safetensors",
    "tensorflow",
    "tensorflow_text",
    "tf_keras",
)


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
            message: Description of the error.
            status: Status of the exit. Defaults to 2.
        """
        self.exit(status, f"{self.prog}: error: {' '.join(message.split())}\n")


class _Extend(argparse.Action):
    """Extends earlier values, but not the default as argparse would."""

    def __call__(self, parser, namespace, values, option_string=None):
        given = getattr(namespace, self.dest)
        given = [] if given is self.default else given
        setattr(namespace, self.dest, [*given, *values])


class _Formatter(
    argparse.RawDescriptionHelpFormatter,
    argparse.ArgumentDefaultsHelpFormatter,
):
    def _get_help_string(self, action):
        # The default of a switch is trivial, or misleading with store_false.
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


def quieten() -> None:
    """Silences all but the errors of TensorFlow and Model Garden."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    for message in ("pkg_resources is deprecated", "Input dict contained keys"):
        warnings.filterwarnings("ignore", message=message)
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    logging.getLogger("absl").setLevel(logging.ERROR)


def main(parser: Parser, run: Callable[[argparse.Namespace], object]) -> None:
    """Runs a script and prints its result as JSON, or its error in one line.

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
    except ImportError as error:
        # keras_clip.model_garden raises its own from that of the module.
        name = getattr(error.__cause__ or error, "name", None) or ""
        if name.split(".")[0] not in _OF_MODEL_GARDEN:
            raise
        parser.error(
            'a package is missing, which pip install ".[model-garden]" in the '
            f"clone installs: {error}"
        )
    except KeyboardInterrupt:
        sys.exit(130)
    print(_shown(result, sys.stdout.encoding))


def _shown(result, encoding):
    """Returns JSON with all characters that the encoding supports."""
    text = json.dumps(result, ensure_ascii=False)
    try:
        text.encode(encoding or "ascii")
    except UnicodeEncodeError:
        return json.dumps(result)
    return text
