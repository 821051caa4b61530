"""Writes and checks directories of prepared data.

Each directory holds `vocab.txt`, records and, once all of them are complete,
`sizes.json`.
"""

import filecmp
import json
import os
from collections.abc import Mapping
from collections.abc import Sequence

import command_line
from bert import vocabulary
from command_line import InputError
from command_line import files

_SIZES = "sizes.json"
_SETTINGS = "settings.json"
_KINDS = {
    "task": str,
    "vocab_size": int,
    "do_lower_case": bool,
    "max_seq_length": int,
    "max_predictions_per_seq": int,
}


def add_arguments(parser: command_line.Parser, max_seq_length: int) -> None:
    """Adds the options of the scripts that prepare data for finetuning.

    Args:
        parser: The script's parser.
        max_seq_length: Default length of a sequence.
    """
    add = parser.add_argument
    add(
        "--vocab",
        required=True,
        metavar="FILE",
        help="the vocabulary of the pretrained model",
    )
    add("--output_dir", required=True, metavar="DIR", help="where to write")
    add(
        "--cased",
        dest="do_lower_case",
        action="store_false",
        help="keep upper case and accents; text is lower-cased otherwise",
    )
    add(
        "--max_seq_length",
        type=command_line.integer(8),
        default=max_seq_length,
        help="tokens a sequence",
    )


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
        names: Names of sizes other than `vocab_size` and `max_seq_length`.

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
    for name in ("vocab_size", "max_seq_length", *names):
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


def keep_vocabulary(data_dir: str, model_dir: str) -> None:
    """Copies the data's vocabulary to the directory of a run.

    Args:
        data_dir: Directory of the data.
        model_dir: Directory of the run.
    """
    with open(os.path.join(data_dir, "vocab.txt"), encoding="utf-8") as file:
        text = file.read()
    with files.whole(os.path.join(model_dir, "vocab.txt")) as partial:
        with open(partial, "w", encoding="utf-8") as file:
            file.write(text)


def check_vocabulary(data_dir: str, pretrained: str) -> None:
    """Checks that data and a pretrained model have the same vocabulary.

    Args:
        data_dir: Directory of the data.
        pretrained: Directory of the pretraining run.

    Raises:
        InputError: If the vocabularies differ.
    """
    paths = [os.path.join(d, "vocab.txt") for d in (data_dir, pretrained)]
    if os.path.exists(paths[1]) and not filecmp.cmp(*paths, shallow=False):
        raise InputError(
            "`--data_dir` must be prepared with the vocabulary of "
            f"--pretrained, {paths[1]}. Received: --data_dir={data_dir}"
        )
