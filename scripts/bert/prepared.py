"""Writes and checks directories of prepared data.

Each directory holds `vocab.txt`, records and, once all of them are complete,
`sizes.json`.
"""

import argparse
import json
import os
from collections.abc import Mapping
from collections.abc import Sequence

import command_line
from bert import hugging_face
from bert import vocabulary
from command_line import InputError
from command_line import files

_SIZES = "sizes.json"
_SETTINGS = "settings.json"
_LABELS = "labels.json"
_KINDS = {
    "metric": str,
    "labels": list,
    "vocab_size": int,
    "do_lower_case": bool,
    "max_seq_length": int,
    "max_predictions_per_seq": int,
    "max_query_length": int,
    "doc_stride": int,
    "train_examples": int,
    "unanswerable": bool,
}


def add_arguments(parser: command_line.Parser, max_seq_length: int) -> None:
    """Adds the options of the scripts that prepare data for finetuning.

    Args:
        parser: The script's parser.
        max_seq_length: Default length of a sequence.
    """
    add_tokenizer_arguments(parser, required=True)
    add = parser.add_argument
    add("--output_dir", required=True, metavar="DIR", help="where to write")
    add(
        "--max_seq_length",
        type=command_line.integer(8),
        default=max_seq_length,
        help="tokens a sequence",
    )


def add_tokenizer_arguments(
    parser: command_line.Parser, required: bool
) -> None:
    """Adds the options that choose the vocabulary and the casing.

    Args:
        parser: The script's parser.
        required: Whether a vocabulary has to be given.
    """
    otherwise = "" if required else "; one is trained otherwise"
    source = parser.add_mutually_exclusive_group(required=required)
    source.add_argument(
        "--vocab",
        metavar="FILE",
        help=f"WordPiece vocabulary to use{otherwise}",
    )
    source.add_argument(
        "--pretrained",
        metavar="DIR",
        help=(
            "directory of the model to start from, a run or a Hugging Face "
            "BERT, whose vocabulary and casing are used"
        ),
    )
    parser.add_argument(
        "--cased",
        dest="do_lower_case",
        action="store_false",
        help=(
            "keep upper case and accents; text is lower-cased otherwise, or as "
            "--pretrained has it"
        ),
    )


def tokenizer(
    arguments: argparse.Namespace,
) -> tuple[list[str] | None, bool]:
    """Returns the vocabulary and the casing that a command line chooses.

    Args:
        arguments: The parsed `add_tokenizer_arguments`.

    Returns:
        Tuple of the pieces, `None` where they are to be trained, and whether
        text is lower-cased.

    Raises:
        InputError: If the vocabulary cannot be used.
    """
    lower = arguments.do_lower_case
    if arguments.vocab is not None:
        return vocabulary.read("--vocab", arguments.vocab), lower
    directory = arguments.pretrained
    if directory is None:
        return None, lower
    path = os.path.join(directory, "vocab.txt")
    if hugging_face.is_one(directory):
        pieces = hugging_face.read_vocabulary("--pretrained", directory)
    elif os.path.isfile(path):
        pieces = vocabulary.read("--pretrained", path)
    else:
        raise InputError(
            "`--pretrained` must be the directory of a model with its "
            f"vocabulary, vocab.txt. Received: --pretrained={directory}"
        )
    theirs = vocabulary.do_lower_case("--pretrained", directory, pieces)
    if theirs and not lower:
        raise InputError(
            "`--cased` must not be given where --pretrained has lower case. "
            f"Received: --cased with --pretrained={directory}"
        )
    return pieces, theirs


def begin(directory: str, settings: Mapping[str, object]) -> None:
    """Makes a directory for a command, or checks that it was made for it.

    Args:
        directory: Directory to write to.
        settings: Settings that its contents depend on, as JSON.

    Raises:
        InputError: If the directory was made with other settings.
    """
    files.make_directory("--output_dir", directory)
    path = os.path.join(directory, _SETTINGS)
    here = {k: v for k, v in settings.items() if k != "output_dir"}
    if not os.path.exists(path):
        files.write_json(path, here)
        return
    there = files.read_json("--output_dir", path)
    if not isinstance(there, Mapping):
        there = {}
    here = json.loads(json.dumps(here))
    for name, value in here.items():
        if there.get(name) != value:
            raise InputError(
                "`--output_dir` must be new, or what the same command has "
                f"begun; there {name}={there.get(name)}, here {name}={value}. "
                "Take another directory or delete this one. "
                f"Received: --output_dir={directory}"
            )
    # Whatever is written from here on, the sizes are of what was there.
    sizes = os.path.join(directory, _SIZES)
    if os.path.exists(sizes):
        os.remove(sizes)


def finish(directory: str, sizes: dict[str, object]) -> dict[str, object]:
    """Marks a directory as complete.

    Args:
        directory: Directory of the data.
        sizes: Sizes of the data.

    Returns:
        The sizes.
    """
    files.write_json(os.path.join(directory, _SIZES), sizes)
    return sizes


def sizes(
    data_dir: str, script: str, names: Sequence[str]
) -> dict[str, object]:
    """Returns the sizes of prepared data, checked against their vocabulary.

    Args:
        data_dir: Directory of the data.
        script: The script that prepares such data.
        names: Names of sizes that the script writes besides those that all do.

    Returns:
        Dict of sizes.

    Raises:
        InputError: If data are missing.
    """
    path = os.path.join(data_dir, _SIZES)
    if not os.path.exists(path):
        raise InputError(
            f"`--data_dir` must hold what {script} has finished; there is no "
            f"{_SIZES}. Received: --data_dir={data_dir}"
        )
    found = files.read_json("--data_dir", path)
    for name in ("vocab_size", "do_lower_case", "max_seq_length", *names):
        if not isinstance(found, Mapping) or not isinstance(
            found.get(name), _KINDS[name]
        ):
            raise InputError(
                f"`--data_dir` must hold what {script} has finished; "
                f"{_SIZES} lacks {name}. Received: --data_dir={data_dir}"
            )
    pieces = vocabulary.read("--data_dir", os.path.join(data_dir, "vocab.txt"))
    if len(pieces) != found["vocab_size"]:
        raise InputError(
            f"`--data_dir` must hold what {script} has finished; {_SIZES} has "
            f"{found['vocab_size']} pieces, vocab.txt {len(pieces)}. "
            f"Received: --data_dir={data_dir}"
        )
    return found


def keep(data_dir: str, model_dir: str) -> None:
    """Copies what a model is used with to the directory of a run.

    That is the vocabulary and the casing, and the labels of sentences.

    Args:
        data_dir: Directory of the data.
        model_dir: Directory of the run.
    """
    pieces = vocabulary.read("--data_dir", os.path.join(data_dir, "vocab.txt"))
    vocabulary.write(os.path.join(model_dir, "vocab.txt"), pieces)
    found = files.read_json("--data_dir", os.path.join(data_dir, _SIZES))
    vocabulary.write_casing(model_dir, found["do_lower_case"])
    if "labels" in found:
        files.write_json(os.path.join(model_dir, _LABELS), found["labels"])


def labels(model_dir: str, number: int) -> list[str]:
    """Returns the labels of a run on sentences.

    Args:
        model_dir: Directory of the run.
        number: Number of its classes.

    Returns:
        The labels in the order of the classes; names with their numbers where
        the run predicts numbers.
    """
    path = os.path.join(model_dir, _LABELS)
    if os.path.isfile(path):
        found = files.read_json("--model_dir", path)
        if isinstance(found, list) and len(found) == number:
            return [str(label) for label in found]
    return [f"LABEL_{place}" for place in range(number)]


def check_tokenizer(
    data_dir: str, sizes: Mapping[str, object], pretrained: str
) -> None:
    """Checks that data and a pretrained model have the same tokens.

    Args:
        data_dir: Directory of the data.
        sizes: Contents of its `sizes.json`.
        pretrained: Directory of the pretrained model.

    Raises:
        InputError: If the vocabularies or their casing differ.
    """
    paths = [os.path.join(d, "vocab.txt") for d in (data_dir, pretrained)]
    if not os.path.exists(paths[1]):
        return
    here = vocabulary.read("--data_dir", paths[0])
    there = vocabulary.read("--pretrained", paths[1])
    lower = vocabulary.do_lower_case("--pretrained", pretrained, there)
    casing = "in lower case" if lower else "with --cased"
    for fits, what in (
        (here == there, f"with the vocabulary of --pretrained, {paths[1]}"),
        (sizes["do_lower_case"] == lower, f"{casing} as --pretrained has it"),
    ):
        if not fits:
            raise InputError(
                f"`--data_dir` must be prepared {what}; --pretrained of the "
                "script that prepares it does that. "
                f"Received: --data_dir={data_dir}"
            )
