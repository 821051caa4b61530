"""Medians and quartiles of what the processes measured."""

from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import asdict

from benchmarks import machine
from benchmarks.contestants import CONTESTANTS
from benchmarks.measure import COPY
from benchmarks.modes import MODES
from benchmarks.rounds import quartiles
from benchmarks.rounds import ratio


def merged(results: Sequence[Mapping]) -> dict:
    """Returns the results of all processes with their summaries.

    Args:
        results: What the processes wrote.

    Returns:
        Dict of `"machines"`, a line for each kind of them, of `"results"`, each
        with a `"summary"`, and of `"skipped"`.
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
        "skipped": [r for r in timed if "skipped" in r],
        "results": [_summarized(result, peaks) for result in done],
    }


def row(result: Mapping, name: str) -> dict:
    """Returns the summary of one contestant.

    Args:
        result: What `measure.measure` returned.
        name: Name of the contestant.

    Returns:
        Dict of its median milliseconds, of quartiles of ratios that are taken
        within a round, and of what is measured once. `None` stands for what
        there is not.
    """
    mode = MODES[result["job"]["mode"]]
    once = result["contestants"][name]
    counterpart = CONTESTANTS[name].counterpart_in(result["job"]["mode"])
    times = [t for group in result["groups"] for t in group.get(name, ())]
    return {
        "milliseconds": asdict(quartiles([1e3 * t for t in times])),
        "counterpart": counterpart,
        "ratios": _ratios(result, name, [*mode.references, counterpart]),
        "update_milliseconds": _update(result, name),
        # A training step is more than the update, and has no such floor.
        "share_of_floor": None if mode.trains else _share(result, name),
        **once,
    }


def _summarized(result, peaks):
    """Returns a result with its summary, given all peaks of memory."""
    rows = {
        name: {
            **row(result, name),
            "peak_bytes": peaks.get((*_place(result), name)),
        }
        for name in result["contestants"]
    }
    bandwidth = _bandwidth(result)
    return {**result, "copy_bytes_per_second": bandwidth, "summary": rows}


def _ratios(result, name, others):
    """Returns quartiles of the ratios to others by their names."""
    found = {}
    for group in result["groups"]:
        for other in others:
            if name in group and other in group and other != name:
                of = asdict(ratio(group[name], group[other]))
                found.setdefault(other, of)
    return found


def _update(result, name):
    """Returns quartiles of the milliseconds of a training step's update."""
    for group in result["groups"]:
        if name in group and "none" in group and name != "none":
            pairs = zip(group[name], group["none"], strict=True)
            return asdict(quartiles([1e3 * (a - b) for a, b in pairs]))
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


def _bandwidth(result):
    """Returns the bytes that the copy moves in a second."""
    times = [t for group in result["groups"] for t in group[COPY]]
    return result["copy_bytes"] / quartiles(times).median


def _place(result):
    """Returns mode and shapes of a result."""
    return result["job"]["mode"], result["job"]["shapes"]
