"""Does one job of `run.py` in a separate process and writes a JSON file."""

import dataclasses
import gc
import importlib
import json
import sys
import time
from collections.abc import Callable
from collections.abc import Sequence
from typing import TYPE_CHECKING

import command_line
from benchmarks import machine
from benchmarks import rounds
from benchmarks.contestants import CONTESTANTS
from benchmarks.contestants import Contestant
from benchmarks.jobs import Job
from benchmarks.modes import MODES
from benchmarks.modes import parameters_of
from benchmarks.modes import shapes_of
from command_line import files

if TYPE_CHECKING:
    from benchmarks.stepping import Bench
    from benchmarks.stepping import Stepper

COPY = "copy"
# Elements of the copy that measures bandwidth, of two buffers in float32: far
# more than caches hold, and on a GPU far more work than a launch takes.
COPIED_ON_CPU = 2**26
COPIED_ON_GPU = 2**28
# An in-place sum reads two numbers and writes one.
COPY_BYTES_AN_ELEMENT = 12
# Everything is measured in float32.
ITEM = 4
# Of the free memory. The rest is for what a step makes and drops again.
SHARE_OF_SLOTS = 0.6
SHARE_OF_ALL = 0.7
STEPS_TO_A_PEAK = 3


def times(job: Job, say: Callable[[str], None]) -> dict:
    """Returns the times of a job.

    Args:
        job: What to measure.
        say: Prints a line.
    """
    contestants = [CONTESTANTS[name] for name in job.contestants]
    mode, shapes = MODES[job.mode], shapes_of(job.shapes)
    parameters = parameters_of(shapes)
    result = {
        "job": dataclasses.asdict(job),
        "parameters": parameters,
        "variables": len(shapes),
    }
    free = machine.free_memory(mode.backend)
    needed = least(contestants, job.mode, parameters)
    if needed > SHARE_OF_ALL * free:
        skipped = (
            f"variables, gradients and slots take {needed / 2**30:.1f} GiB, "
            f"more than 70% of the {free / 2**30:.1f} GiB that are free"
        )
        return {**result, "skipped": skipped}

    bench = _bench(job)
    on_device = machine.device_memory(mode.backend)
    elements = COPIED_ON_GPU if on_device else COPIED_ON_CPU
    elements = job.copy_elements or elements
    copy = bench.copy(elements)
    # What a framework loads with its first program is nobody's first call.
    copy()
    free = machine.free_memory(mode.backend)
    groups, rows = [], {}
    lists = grouped(contestants, job.mode, parameters, free)
    for number, group in enumerate(lists, 1):
        say(f"group {number} of {len(lists)}: {len(group)} optimizers")
        built = _built(bench, group, parameters, rows)
        steps = {name: stepper.step for name, stepper in built.items()}
        steps[COPY] = copy
        found = rounds.interleaved(steps, job.rounds, job.seed)
        groups.append(
            {k: [t / mode.steps for t in each] for k, each in found.items()}
        )
        # The state of a group makes room for that of the next.
        for stepper in built.values():
            stepper.free()
        del built, steps, stepper
        gc.collect()
    return {
        **result,
        "machine": machine.description(mode.backend),
        "copy_bytes": COPY_BYTES_AN_ELEMENT * elements,
        "contestants": rows,
        "groups": groups,
    }


def memory(job: Job, say: Callable[[str], None]) -> dict:
    """Returns what building and stepping adds to the peak of memory.

    Args:
        job: What to measure, with one contestant.
        say: Prints a line; not used.
    """
    (name,) = job.contestants
    backend = MODES[job.mode].backend
    bench = _bench(job)
    before = machine.used_memory(backend)
    stepper = bench.build(CONTESTANTS[name])
    for _ in range(STEPS_TO_A_PEAK):
        stepper.step()
    return {
        "job": dataclasses.asdict(job),
        "machine": machine.description(backend),
        "peak_bytes": machine.peak_memory(backend) - before,
    }


def bytes_moved(parameters: int, slots: int, norm: bool) -> int:
    """Returns how many bytes a step moves at least.

    Each parameter and each slot is read and written, each gradient is read,
    once more if its norm has to be known before it can be used.

    Args:
        parameters: Number of parameters.
        slots: How many tensors like each variable the algorithm keeps.
        norm: Whether it takes a norm.
    """
    return ITEM * parameters * (2 + 1 + 2 * slots + norm)


def slot_bytes(names: set[str], parameters: int) -> int:
    """Returns the bytes of the slots of some contestants.

    Args:
        names: Their names.
        parameters: Number of parameters.
    """
    slots = sum(CONTESTANTS[name].slots for name in names)
    return ITEM * parameters * slots


def least(contestants: Sequence[Contestant], mode: str, parameters: int) -> int:
    """Returns the bytes that the largest possible group needs.

    These are the variables, their gradients and the slots of the contestant
    that takes most together with what it is compared with.

    Args:
        contestants: The contestants.
        mode: The mode, a key of `MODES`.
        parameters: Number of parameters.
    """
    slots = max(
        slot_bytes({contestant.name, *contestant.rivals(mode)}, parameters)
        for contestant in contestants
    )
    return 2 * ITEM * parameters + slots


def grouped(
    contestants: Sequence[Contestant], mode: str, parameters: int, free: float
) -> list[list[Contestant]]:
    """Returns groups whose slots fit into memory, each with its baselines.

    Args:
        contestants: The contestants.
        mode: The mode, a key of `MODES`.
        parameters: Number of parameters.
        free: Bytes of free memory, of which slots take 60%.

    Returns:
        Lists of contestants. Only one that needs more than that by itself is
        in a group that takes more.
    """
    groups = []
    for contestant in contestants:
        wanted = {contestant.name, *contestant.rivals(mode)}
        if groups:
            joined = groups[-1] | wanted
            if slot_bytes(joined, parameters) <= SHARE_OF_SLOTS * free:
                groups[-1] = joined
                continue
        # Those that are there for others are measured with them anyhow.
        if not any(contestant.name in group for group in groups):
            groups.append(wanted)
    return [[c for c in contestants if c.name in group] for group in groups]


def _bench(job: Job) -> "Bench":
    """Returns what a job is measured on."""
    # Only the framework of the mode is imported: others need not be there.
    framework = importlib.import_module(
        f"benchmarks.{MODES[job.mode].backend}_steps"
    )
    return framework.bench(job.mode, job.shapes, job.seed)


def _built(
    bench: "Bench", group: Sequence[Contestant], parameters: int, rows: dict
) -> "dict[str, Stepper]":
    """Builds contestants, lets each step once, and adds a row for each."""
    steppers = {}
    for contestant in group:
        start = time.perf_counter()
        stepper = bench.build(contestant)
        built = time.perf_counter()
        stepper.step()
        stepped = time.perf_counter()
        steppers[contestant.name] = stepper
        row = {
            "build_seconds": built - start,
            "first_call_seconds": stepped - built,
            "state_bytes": stepper.state_bytes,
            "floor_bytes": bytes_moved(
                parameters, contestant.slots, contestant.norm
            ),
        }
        rows.setdefault(contestant.name, row)
    return steppers


def main() -> None:
    """Does the job that the command line gives as JSON, and writes a file."""
    command_line.quieten()
    text, path = sys.argv[1:]
    job = Job(**json.loads(text))

    def say(line):
        print(f"  {line}", file=sys.stderr, flush=True)

    work = {"measure": times, "memory": memory}[job.work]
    files.write_json(path, work(job, say))


if __name__ == "__main__":
    main()
