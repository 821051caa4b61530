"""Reads and writes the runs that are finished, a JSON file each."""

import argparse
import json
import math
from collections.abc import Mapping
from pathlib import Path

from command_line import InputError
from command_line.files import make_directory
from command_line.files import read_json
from command_line.files import whole
from experiments.real_models.run_key import RunKey

# What is committed.
RESULTS = Path(__file__).parent / "results"
_ARGUMENT = "--results"
_KINDS = {
    "experiment": str,
    "arm": str,
    "learning_rate": float,
    "seed": int,
    "settings": dict,
    "diverged": bool,
    "metrics": dict,
}
# What a single run does not depend on.
_ABOUT_MANY_RUNS = (
    *("name", "arms", "seeds", "tuning_seeds", "tuned_for", "refined"),
    *("searched", "noise_rate"),
)


def folder_of(arguments: argparse.Namespace) -> Path:
    """Returns the folder of results that a command line names.

    Args:
        arguments: The parsed command line.

    Raises:
        InputError: If what is only tried out would be with what is committed.
    """
    folder = Path(arguments.results)
    if arguments.most_steps is not None and (
        folder.resolve() == RESULTS.resolve()
    ):
        raise InputError(
            f"`{_ARGUMENT}` must be a folder of its own with `--most_steps`, "
            f"whose runs are no results. Received: {_ARGUMENT}={folder}"
        )
    return folder


def settings(experiment: Mapping, arm: str) -> dict:
    """Returns all that a run depends on, as it is written with it.

    Args:
        experiment: The experiment.
        arm: Name of the arm.
    """
    kept = {
        name: value
        for name, value in experiment.items()
        if name not in _ABOUT_MANY_RUNS and value is not None
    }
    own = {
        name: value
        for name, value in experiment["arms"][arm].items()
        if name != "rate"
    }
    return {**kept, "arm": own}


def read(folder: Path, experiment: Mapping) -> dict[RunKey, dict]:
    """Returns the finished runs of an experiment.

    Args:
        folder: Folder of all results.
        experiment: The experiment.

    Raises:
        InputError: If a file is not what `write` has written, or its run is
            one with other settings than the experiment has.
    """
    found = {}
    name = experiment["name"]
    for path in sorted((folder / "runs" / name).glob("*.json")):
        run = read_json(_ARGUMENT, str(path))
        key = _key(run)
        problem = None
        if key is None or path.name != key.file_name:
            problem = "is none"
        elif key.arm not in experiment["arms"] or (
            run["settings"] != settings(experiment, key.arm)
        ):
            problem = "was made with other settings, or is only tried out"
        if problem:
            raise InputError(
                f"`{_ARGUMENT}` must hold whole runs of the experiments as "
                f"they are; {path.name} of {name} {problem}. Take another "
                "folder, or remove this file to make the run anew. "
                f"Received: {_ARGUMENT}={folder}"
            )
        found[key] = run
    return found


def write(folder: Path, key: RunKey, run: Mapping) -> Path:
    """Writes a finished run.

    Args:
        folder: Folder of all results.
        key: The run.
        run: What came of it.

    Returns:
        Path of the file.
    """
    directory = folder / "runs" / key.experiment
    make_directory(_ARGUMENT, str(directory))
    path = directory / key.file_name
    # A line for each name: curves have many numbers.
    lines = [
        f"{json.dumps(name)}: {json.dumps(value, allow_nan=False)}"
        for name, value in _without_nan(run).items()
    ]
    with whole(str(path)) as partial:
        text = "{\n  " + ",\n  ".join(lines) + "\n}\n"
        Path(partial).write_text(text, "utf-8")
    return path


def _key(run):
    """Returns the key of a run, `None` if it is none."""
    if not isinstance(run, Mapping):
        return None
    for name, kind in _KINDS.items():
        if not isinstance(run.get(name), kind):
            return None
    names = ("experiment", "arm", "learning_rate", "seed")
    return RunKey(*(run[name] for name in names))


def _without_nan(value):
    """Returns a value with `None` for all numbers that JSON does not have."""
    if isinstance(value, Mapping):
        return {name: _without_nan(v) for name, v in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
