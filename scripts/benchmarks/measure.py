"""Measures one mode on one kind of shapes, in a process of its own.

`run.py` starts it. It writes a JSON file.
"""

import dataclasses
import gc
import json
import sys
import time
from collections.abc import Callable
from collections.abc import Sequence

import command_line
from benchmarks import floor
from benchmarks import machine
from benchmarks import rounds
from benchmarks import shapes
from benchmarks import stepping
from benchmarks.contestants import CONTESTANTS
from benchmarks.contestants import Contestant
from benchmarks.groups import SHARE_OF_ALL
from benchmarks.groups import grouped
from benchmarks.groups import least
from benchmarks.jobs import Job
from benchmarks.modes import MODES
from benchmarks.stepping import Bench
from benchmarks.stepping import Stepper
from command_line import files

# Steps before the rounds, besides the first one, which is timed by itself.
WARM_UP = 3
COPY = "copy"


def bench_of(job: Job) -> Bench:
    """Returns the variables and gradients of a job.

    Args:
        job: What to measure.
    """
    # Only the framework of the mode is imported: others need not be there.
    if job.mode in ("jax", "jax-device"):
        from benchmarks.jax_steps import JaxBench

        return JaxBench(job.shapes, job.seed, MODES[job.mode].steps)
    if job.mode == "jax-fit":
        from benchmarks.jax_steps import JaxFitBench

        return JaxFitBench(job.shapes, job.seed)
    if job.mode == "fit":
        from benchmarks.fit_steps import FitBench

        return FitBench(job.shapes, job.seed)
    from benchmarks.tensorflow_steps import TensorFlowBench

    return TensorFlowBench(job.mode, job.shapes, job.seed)


def free_memory(mode: str) -> int:
    """Returns the bytes that are free where a mode keeps its variables.

    Args:
        mode: A key of `MODES`.
    """
    stats = device_memory(mode)
    if stats:
        return stats["bytes_limit"] - stats["bytes_in_use"]
    return machine.free_memory()


def device_memory(mode: str) -> dict | None:
    """Returns JAX' account of its device's memory, `None` where it has none.

    Args:
        mode: A key of `MODES`.
    """
    if MODES[mode].backend != "jax":
        return None
    import jax

    return jax.devices()[0].memory_stats()


def measure(job: Job, say: Callable[[str], None]) -> dict:
    """Returns all that is measured of a job.

    Args:
        job: What to measure.
        say: Prints a line.
    """
    contestants = [CONTESTANTS[name] for name in job.contestants]
    all_shapes = shapes.of(job.shapes)
    parameters = shapes.parameters(all_shapes)
    result = {
        "job": dataclasses.asdict(job),
        "parameters": parameters,
        "variables": len(all_shapes),
    }
    free = free_memory(job.mode)
    needed = least(contestants, job.mode, parameters)
    if needed > SHARE_OF_ALL * free:
        skipped = (
            f"variables, gradients and slots take {needed / 2**30:.1f} GiB, "
            f"more than 70% of the {free / 2**30:.1f} GiB that are free"
        )
        return {**result, "skipped": skipped}

    bench = bench_of(job)
    elements = job.copy_elements or (
        stepping.COPIED_ON_GPU
        if device_memory(job.mode)
        else stepping.COPIED_ON_CPU
    )
    copy = bench.copy(elements)
    # What a framework loads with its first program is nobody's first call.
    copy()
    free = free_memory(job.mode)
    groups, rows = [], {}
    lists = grouped(contestants, job.mode, parameters, free)
    for number, group in enumerate(lists, 1):
        say(f"group {number} of {len(lists)}: {len(group)} optimizers")
        built = _built(bench, group, parameters, rows)
        steps = {name: stepper.step for name, stepper in built.items()}
        steps[COPY] = copy
        rounds.interleaved(steps, WARM_UP, job.seed)
        times = rounds.interleaved(steps, job.rounds, job.seed)
        calls = MODES[job.mode].steps
        groups.append(
            {name: [t / calls for t in each] for name, each in times.items()}
        )
        # The state of a group makes room for that of the next.
        for stepper in built.values():
            stepper.free()
        del built, steps, stepper
        gc.collect()
    return {
        **result,
        "machine": machine.description(MODES[job.mode].backend),
        "copy_bytes": stepping.COPY_BYTES_AN_ELEMENT * elements,
        "contestants": rows,
        "groups": groups,
    }


def _built(
    bench: Bench, group: Sequence[Contestant], parameters: int, rows: dict
) -> dict[str, Stepper]:
    """Builds contestants and lets each step once.

    Args:
        bench: The variables and gradients.
        group: The contestants.
        parameters: Number of parameters.
        rows: Dict that a row for each contestant is added to, the first time.

    Returns:
        The contestants by name, as built.
    """
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
            "floor_bytes": floor.bytes_moved(
                parameters, contestant.slots, contestant.norm
            ),
        }
        rows.setdefault(contestant.name, row)
    return steppers


def main(work: Callable[[Job, Callable[[str], None]], dict]) -> None:
    """Does a piece of work for `run.py`.

    The command line is the job as JSON, and the file to write.

    Args:
        work: From a job and what prints a line to the result.
    """
    command_line.quieten()
    text, path = sys.argv[1:]
    job = Job(**json.loads(text))

    def say(line):
        print(f"  {line}", file=sys.stderr, flush=True)

    files.write_json(path, work(job, say))


if __name__ == "__main__":
    main(measure)
