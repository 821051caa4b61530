"""Names the data of the experiments on the command line, and checks them."""

import argparse
import os
from collections.abc import Sequence

from command_line import InputError
from command_line import Parser

# Each source with its help, a metavar, and a file that a folder must hold.
_SOURCES = {
    "encoder": ("directory of a Hugging Face BERT", "DIR", "model.safetensors"),
    "cola": ("folder with GLUE's train.tsv and dev.tsv", "DIR", "dev.tsv"),
    "rte": ("folder with GLUE's train.tsv and dev.tsv", "DIR", "dev.tsv"),
    "squad_train": ("SQuAD v1.1, to train on", "FILE", None),
    "squad_dev": ("SQuAD v1.1, to evaluate on", "FILE", None),
    "text": (
        "what prepare_pretraining_data.py has written",
        "DIR",
        "sizes.json",
    ),
    "language": ("text whose next words are predicted", "FILE", None),
    "images": ("ZIP file with train/CLASS/NAME.jpg and test/", "ZIP", None),
}
# What each kind of data needs.
_NEEDED = {
    "cola": ("encoder", "cola"),
    "rte": ("encoder", "rte"),
    "squad": ("encoder", "squad_train", "squad_dev"),
    "text": ("text",),
    "language": ("text", "language"),
    "images": ("images",),
}


def add_arguments(parser: Parser) -> None:
    """Adds an option for each source.

    Args:
        parser: The script's parser.
    """
    for name, (text, metavar, _) in _SOURCES.items():
        parser.add_argument(f"--{name}", metavar=metavar, help=text)


def checked(
    arguments: argparse.Namespace, experiments: Sequence[dict]
) -> tuple[tuple[str, str], ...]:
    """Returns the paths that experiments need, as pairs of name and path.

    Args:
        arguments: The parsed command line.
        experiments: The experiments.

    Raises:
        InputError: If one is not given or does not exist.
    """
    needed = [name for e in experiments for name in _NEEDED[e["data"]]]
    found = {}
    for name in dict.fromkeys(needed):
        path = getattr(arguments, name)
        expected, _, file = _SOURCES[name]
        if path is None or not os.path.exists(_inside(path, file)):
            inside = f", with {file}" if file else ""
            raise InputError(
                f"`--{name}` must be the {expected}{inside}. "
                f"Received: --{name}={path}"
            )
        found[name] = path
    return tuple(found.items())


def _inside(path, file):
    return path if file is None else os.path.join(path, file)
