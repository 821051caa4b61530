"""Reads and writes the runs that are finished, a JSON file each."""

import math
from collections.abc import Mapping
from pathlib import Path

from command_line import InputError
from command_line.files import make_directory
from command_line.files import read_json
from command_line.files import write_json
from experiments.real_models.run_key import RunKey

_ARGUMENT = "--results"
_KINDS = {
    "experiment": str,
    "arm": str,
    "learning_rate": float,
    "seed": int,
    "diverged": bool,
    "metrics": dict,
}


def read(folder: Path, experiment: str) -> dict[RunKey, dict]:
    """Returns the finished runs of an experiment.

    Args:
        folder: Folder of all results.
        experiment: Name of the experiment.

    Raises:
        InputError: If a file is not what `write` has written.
    """
    found = {}
    for path in sorted((folder / "runs" / experiment).glob("*.json")):
        run = read_json(_ARGUMENT, str(path))
        key = _key(run)
        if key is None or path.name != key.file_name:
            raise InputError(
                f"`{_ARGUMENT}` must hold whole runs; {path.name} of "
                f"{experiment} is none. Delete it, and the same command makes "
                f"it anew. Received: {_ARGUMENT}={folder}"
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
    write_json(str(path), _without_nan(run))
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
