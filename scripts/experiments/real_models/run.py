r"""Makes the runs of experiments on real models, and resumes where it stopped.

Each experiment searches the learning rate of every arm and then repeats the
best with fresh seeds. A finished run is a JSON file, and is never made again.
One that was interrupted begins anew. Example:

    python scripts/experiments/real_models/run.py --experiment cola \
        --cola glue/CoLA --encoder minilm --results runs/real_models
"""

import argparse
import concurrent.futures
import functools
import multiprocessing
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import command_line  # noqa: E402
from command_line.parents import end_with  # noqa: E402
from command_line.progress import say  # noqa: E402
from experiments.real_models import finished  # noqa: E402
from experiments.real_models import search  # noqa: E402
from experiments.real_models import sources  # noqa: E402
from experiments.real_models.experiments import EXPERIMENTS  # noqa: E402
from experiments.real_models.experiments import by_name  # noqa: E402

# What a process keeps of earlier runs, such as traced functions, ends with it.
_RUNS_PER_PROCESS = 12
_NICENESS = 10


def run(arguments: argparse.Namespace) -> dict[str, int]:
    """Makes all runs that are missing.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict from experiment to the number of its finished runs.

    Raises:
        InputError: If data are missing, a finished run is damaged, or runs that
            are only tried out would be among the committed ones.
    """
    experiments = [
        _experiment(name, arguments.most_steps) for name in arguments.experiment
    ]
    folder = finished.folder_of(arguments)
    paths = sources.checked(arguments, experiments)
    for experiment in experiments:
        finished.read(folder, experiment)
    with concurrent.futures.ProcessPoolExecutor(
        arguments.processes,
        multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(os.getpid(),),
        max_tasks_per_child=_RUNS_PER_PROCESS,
    ) as pool:
        try:
            _make_all(pool, experiments, paths, folder, arguments.processes)
        except BaseException:
            say("stopping; the same command resumes")
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return {
        experiment["name"]: len(finished.read(folder, experiment))
        for experiment in experiments
    }


def _make_all(pool, experiments, paths, folder, processes):
    """Keeps all processes busy until no run is missing."""
    busy = {}
    while True:
        for experiment in experiments:
            done = finished.read(folder, experiment)
            for key in search.next_runs(experiment, done):
                if len(busy) < processes and key not in busy.values():
                    job = pool.submit(_make, experiment, key, paths, folder)
                    busy[job] = key
        if not busy:
            return
        complete, _ = concurrent.futures.wait(
            busy, return_when=concurrent.futures.FIRST_COMPLETED
        )
        for job in complete:
            say(f"{_name(busy.pop(job))}: {job.result()}")


def _make(experiment, key, paths, folder):
    """Makes a run in a process of the pool, and returns a line about it."""
    command_line.quieten()
    from experiments.real_models import training

    task = _task(experiment["name"], experiment["most_steps"], paths)
    made = training.make(experiment, key, task, say)
    finished.write(folder, key, made)
    measure = experiment["measure"]
    found = made["metrics"].get(measure, "diverged")
    return f"{measure} {found}, {made['seconds']['all']:.0f} s"


@functools.lru_cache(maxsize=1)
def _task(name, most_steps, paths):
    """Returns the task of an experiment, which all of its runs share."""
    from experiments.real_models.tasks import task_of

    return task_of(_experiment(name, most_steps), dict(paths))


def _experiment(name, most_steps):
    """Returns an experiment, tried out if a number of steps is given."""
    experiment = {**by_name(name), "most_steps": most_steps}
    if most_steps is not None:
        experiment |= {"searched": False, "seeds": 1}
    return experiment


def _begin(parent):
    os.nice(_NICENESS)
    end_with(parent)


def _name(key):
    return f"{key.experiment}, {key.arm} {key.learning_rate:g} seed {key.seed}"


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    add = result.add_argument
    add(
        "--experiment",
        action="extend",
        nargs="+",
        required=True,
        choices=[experiment["name"] for experiment in EXPERIMENTS],
        help="experiments, in the order of their runs",
    )
    sources.add_arguments(result)
    add(
        "--results",
        default=str(finished.RESULTS),
        metavar="DIR",
        help="folder of the finished runs, those here by default",
    )
    add(
        "--most_steps",
        type=command_line.integer(1),
        metavar="N",
        help="try the experiment out: one run of each arm, of N steps at most; "
        "what comes of it is no result, and needs `--results`",
    )
    add(
        "--processes",
        type=command_line.integer(1, 256),
        default=os.cpu_count(),
        help="processes, one thread each",
    )
    return result


if __name__ == "__main__":
    # Runs are shared out over processes, of one thread each.
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    for threads in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(threads, "1")
    os.environ.setdefault("PJRT_NPROC", "1")
    command_line.main(parser(), run)
