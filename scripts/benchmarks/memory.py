"""Measures the peak memory of one contestant, in a process of its own.

`run.py` starts it. It writes a JSON file.
"""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

from benchmarks import machine
from benchmarks.contestants import CONTESTANTS
from benchmarks.jobs import Job
from benchmarks.measure import bench_of
from benchmarks.measure import device_memory
from benchmarks.measure import main
from benchmarks.modes import MODES

STEPS = 3


def measure(job: Job, say: Callable[[str], None]) -> dict:
    """Returns what building and stepping adds to the peak of memory.

    Args:
        job: What to measure, with one contestant.
        say: Prints a line; not used.
    """
    (name,) = job.contestants
    bench = bench_of(job)
    before = _used(job.mode)
    stepper = bench.build(CONTESTANTS[name])
    for _ in range(STEPS):
        stepper.step()
    return {
        "job": dataclasses.asdict(job),
        "machine": machine.description(MODES[job.mode].backend),
        "peak_bytes": _peak(job.mode) - before,
    }


def _used(mode):
    """Returns the bytes in use, from which on the peak is looked for."""
    stats = device_memory(mode)
    if stats:
        return stats["bytes_in_use"]
    # Linux: what making the variables took for a moment is forgotten, and the
    # largest resident size is the present one.
    Path("/proc/self/clear_refs").write_text("5")
    return _peak(mode)


def _peak(mode):
    """Returns the most bytes that have been in use."""
    stats = device_memory(mode)
    if stats:
        return stats["peak_bytes_in_use"]
    status = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(r"VmHWM:\s*(\d+) kB", status)[1])


if __name__ == "__main__":
    main(measure)
