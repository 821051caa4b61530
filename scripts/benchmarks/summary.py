"""Makes of what the processes measured what tables and plots show."""

import json
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

from benchmarks import machine
from benchmarks.contestants import CONTESTANTS
from benchmarks.measure import COPY
from benchmarks.modes import MODES
from benchmarks.rounds import quartiles
from benchmarks.rounds import ratio
from command_line import InputError
from command_line import files

_KEYS = {"machines", "skipped", "results"}


def merged(results: Sequence[Mapping]) -> dict:
    """Returns the results of all processes in short.

    Args:
        results: What the processes wrote.

    Returns:
        Dict of `"machines"`, a line for each kind of them, of `"skipped"`, and
        of `"results"`: for each mode on each kind of shapes what was measured
        of all `"optimizers"` by name. These are the quartiles of milliseconds
        and of ratios that are taken within a round, and numbers that are
        measured once. It is as JSON gives it back, with eight digits.
    """
    timed = [r for r in results if r["job"]["work"] == "measure"]
    peaks = {
        (*_place(result), *result["job"]["contestants"]): result["peak_bytes"]
        for result in results
        if result["job"]["work"] == "memory"
    }
    done = [result for result in timed if "skipped" not in result]
    done.sort(key=lambda r: (":" in r["job"]["shapes"], r["parameters"]))
    done.sort(key=lambda r: list(MODES).index(r["job"]["mode"]))
    machines = machine.united([result["machine"] for result in done])
    return {
        "machines": [machine.in_words(each) for each in machines],
        "skipped": [
            {"mode": mode, "shapes": shapes, "skipped": result["skipped"]}
            for result in timed
            if "skipped" in result
            for mode, shapes in [_place(result)]
        ],
        "results": [_in_short(_summarized(result, peaks)) for result in done],
    }


def write(results: Mapping, path: str) -> None:
    """Writes `results.json`, a line for each mode on each kind of shapes.

    Args:
        results: What `merged` returns.
        path: The file.
    """
    parts = []
    for key, entries in results.items():
        lines = ",\n".join(map(json.dumps, entries))
        parts.append(f'"{key}": [\n{lines}\n]')
    with files.whole(path) as partial:
        text = "{\n" + ",\n".join(parts) + "\n}\n"
        Path(partial).write_text(text, "utf-8")


def read(argument: str, path: str) -> dict:
    """Returns what `write` wrote.

    Args:
        argument: Name of the command line's argument, for the error.
        path: The file.

    Raises:
        InputError: If it is not there, or something else.
    """
    found = files.read_json(argument, path)
    if not (
        isinstance(found, dict)
        and found.keys() == _KEYS
        and all("optimizers" in result for result in found["results"])
    ):
        raise InputError(
            f"`{argument}` must name directories with a results.json of this "
            f"benchmark. Received: {argument}={path}"
        )
    return found


def _in_short(value):
    """Returns a value with eight digits, more than tables and plots show."""
    if isinstance(value, Mapping):
        return {k: _in_short(v) for k, v in value.items() if v is not None}
    if isinstance(value, tuple):
        return [_in_short(each) for each in value]
    return float(f"{value:.8g}") if isinstance(value, float) else value


def _summarized(result, peaks):
    """Returns the summary of a result, given all peaks of memory."""
    mode, shapes = _place(result)
    times = [t for group in result["groups"] for t in group[COPY]]
    return {
        "mode": mode,
        "shapes": shapes,
        "rounds": result["job"]["rounds"],
        "variables": result["variables"],
        "parameters": result["parameters"],
        "copy_bytes_per_second": result["copy_bytes"] / quartiles(times).median,
        "optimizers": {
            name: {
                **_row(result, name),
                "peak_bytes": peaks.get((mode, shapes, name)),
            }
            for name in result["contestants"]
        },
    }


def _row(result, name):
    """Returns the summary of one contestant; `None` is what there is not."""
    mode = MODES[result["job"]["mode"]]
    once = result["contestants"][name]
    counterpart = CONTESTANTS[name].counterpart_in(result["job"]["mode"])
    times = [t for group in result["groups"] for t in group.get(name, ())]
    return {
        "milliseconds": quartiles([1e3 * t for t in times]),
        "ratios": _ratios(result, name, [*mode.references, counterpart]),
        "update_milliseconds": _update(result, name),
        # Neither a training step nor one by rows has such a floor.
        "share_of_floor": None
        if mode.trains or mode.by_rows
        else _share(result, name),
        "first_call_seconds": once["first_call_seconds"],
        "state_bytes": once["state_bytes"],
    }


def _ratios(result, name, others):
    """Returns quartiles of the ratios to others by their names."""
    found = {}
    for group in result["groups"]:
        for other in others:
            if name in group and other in group and other != name:
                found.setdefault(other, ratio(group[name], group[other]))
    return found


def _update(result, name):
    """Returns quartiles of the milliseconds of a training step's update."""
    for group in result["groups"]:
        if name in group and "none" in group and name != "none":
            pairs = zip(group[name], group["none"], strict=True)
            return quartiles([1e3 * (a - b) for a, b in pairs])
    return None


def _share(result, name):
    """Returns how much of its bandwidth's worth a step needs at least.

    It is the time that a copy of as many bytes takes as the step has to move,
    in the same round, as a share of the step's time.
    """
    floor = result["contestants"][name]["floor_bytes"] / result["copy_bytes"]
    for group in result["groups"]:
        if name in group:
            return floor * ratio(group[COPY], group[name]).median
    return None


def _place(result):
    """Returns mode and shapes of a result."""
    return result["job"]["mode"], result["job"]["shapes"]
