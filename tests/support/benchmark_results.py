"""Results as a measuring process writes them, of times that tests choose."""

from benchmarks.contestants import CONTESTANTS
from benchmarks.measure import bytes_moved

MACHINE = {
    "cpu": "Some CPU",
    "cores": 2,
    "memory_gib": 16.0,
    "accelerator": None,
    "versions": {"python": "3.12.1", "keras": "3.15.1"},
}
PARAMETERS = 1000


def job(work, mode, shapes, contestants, rounds):
    return {
        "work": work,
        "mode": mode,
        "shapes": shapes,
        "contestants": contestants,
        "rounds": rounds,
        "seed": 0,
        "copy_elements": 0,
    }


def result(mode, shapes, *groups):
    """Returns a result of groups, dicts of seconds by contestant."""
    names = [n for n in CONTESTANTS if any(n in group for group in groups)]
    rounds = len(next(iter(groups[0].values())))
    rows = {
        name: {
            "build_seconds": 0.5,
            "first_call_seconds": 2.0 + len(name) / 100,
            "state_bytes": 4 * PARAMETERS * CONTESTANTS[name].slots,
            "floor_bytes": bytes_moved(
                PARAMETERS, CONTESTANTS[name].slots, CONTESTANTS[name].norm
            ),
        }
        for name in names
    }
    return {
        "job": job("measure", mode, shapes, names, rounds),
        "machine": MACHINE,
        "parameters": PARAMETERS,
        "variables": 3,
        "copy_bytes": 12_000,
        "contestants": rows,
        "groups": [{"copy": [0.001] * rounds, **group} for group in groups],
    }


def memory(mode, shapes, name, peak):
    """Returns the result of a process that measured a peak of memory."""
    return {
        "job": job("memory", mode, shapes, [name], 0),
        "machine": MACHINE,
        "peak_bytes": peak,
    }
