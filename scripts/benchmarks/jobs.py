"""The pieces of work that a command line asks for, each done by a process."""

import argparse
import dataclasses
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path

from benchmarks import contestants
from benchmarks.modes import MODES
from benchmarks.modes import shapes_of
from command_line import InputError
from command_line import files

SCRIPTS = Path(__file__).resolve().parents[1]
# What a mode imports.
NEEDS = {
    "tensorflow": ("tensorflow", "tf_keras"),
    "jax": ("jax", "optax"),
    "torch": ("torch",),
}
SCALING_SHAPES = (
    *(f"parameters:{n}" for n in ("1e6", "1e7", "1e8", "1e9")),
    *(f"variables:{n}" for n in (10, 30, 100, 300, 1000, 3000)),
)
SCALING_OPTIMIZERS = ("adam", "acclip", "acclip_threshold", "clip_adam_norm")
SCALING_MODES = {"tensorflow": "graph", "jax": "jax", "torch": "torch"}
# What --quick makes of them.
QUICK_SHAPES = {
    "comparison": ("tiny-test",),
    "scaling": ("parameters:1e3", "parameters:1e4", "variables:1"),
}
QUICK_TABLE = "tiny-embedding"
QUICK_ROUNDS = 3
QUICK_COPY = 2**16


@dataclasses.dataclass(frozen=True)
class Job:
    """Describes what one process measures.

    Args:
        work: `"measure"` for times, `"memory"` for the peak of memory.
        mode: A key of `MODES`.
        shapes: Name of the shapes.
        contestants: Names of the contestants.
        rounds: Number of rounds.
        seed: Seed of the gradients and of the order in a round.
        copy_elements: Elements of the copy that measures bandwidth, 0 for as
            many as suit the device.
    """

    work: str
    mode: str
    shapes: str
    contestants: Sequence[str]
    rounds: int
    seed: int
    copy_elements: int

    @property
    def name(self) -> str:
        """Returns the name of the file with its result."""
        parts = [self.mode, self.shapes.replace(":", "_")]
        if self.work == "memory":
            parts = ["memory", *parts, *self.contestants]
        return "-".join(parts)

    def path(self, out: str) -> Path:
        """Returns the file of its result.

        Args:
            out: Directory of all results.
        """
        return Path(out) / "jobs" / f"{self.name}.json"


def planned(arguments: argparse.Namespace) -> list[Job]:
    """Returns what a command line asks for.

    Args:
        arguments: The parsed command line.

    Returns:
        Jobs, first those of times and then those of memory.

    Raises:
        InputError: If an argument asks for what there is not.
    """
    for name in arguments.shapes or ():
        shapes_of(name)
    modes = _modes(arguments)
    optimizers = arguments.optimizers or ()
    if arguments.study == "scaling":
        optimizers = optimizers or SCALING_OPTIMIZERS
    timed = []
    for mode in modes:
        names = [c.name for c in contestants.of_mode(mode, optimizers)]
        timed += [
            Job(
                work="measure",
                mode=mode,
                shapes=shapes,
                contestants=names,
                rounds=QUICK_ROUNDS if arguments.quick else arguments.rounds,
                seed=arguments.seed,
                copy_elements=QUICK_COPY if arguments.quick else 0,
            )
            for shapes in _shapes(arguments, mode)
            if names
        ]
    if not timed:
        raise InputError(
            "`--modes` must be able to step the optimizers and to take the "
            "shapes asked for: fit and jax-fit train only BERTs, and each mode "
            "has the optimizers of its framework. Received: --modes="
            + " ".join(modes)
        )
    if not arguments.memory:
        return timed
    if not Path("/proc/self/clear_refs").exists():
        raise InputError(
            "`--memory` must be left out where there is no Linux, which alone "
            "forgets a peak on request. Received: --memory"
        )
    fields = {"work": "memory", "rounds": 0, "copy_elements": 0}
    return timed + [
        dataclasses.replace(job, **fields, contestants=[name])
        for job in timed
        for name in job.contestants
        if name != "none"
    ]


def run(jobs: Sequence[Job], out: str, say: Callable[[str], None]) -> list[str]:
    """Does jobs that are not done, one after the other.

    What was skipped for want of memory counts as not done.

    Args:
        jobs: The jobs.
        out: Directory of all results.
        say: Prints a line.

    Returns:
        Names of the jobs whose process failed.

    Raises:
        InputError: If there is a result of other arguments in the place of one,
            or it is damaged.
    """
    # Before hours are spent on those before it.
    finished = [_is_done(job, out) for job in jobs]
    failed = []
    for number, (job, is_done) in enumerate(zip(jobs, finished, strict=True)):
        line = f"{number + 1}/{len(jobs)} {job.name}"
        if is_done:
            say(f"{line}: done before")
            continue
        say(line)
        status = _process(job, job.path(out))
        if status:
            failed.append(job.name)
            say(f"  failed with status {status}")
            continue
        result = _read(job.path(out))
        if "skipped" in result:
            say(f"  skipped: {result['skipped']}")
    return failed


def results(out: str) -> list[dict]:
    """Returns the results of all jobs that were ever done in a directory.

    Args:
        out: Directory of all results.
    """
    return [_read(path) for path in sorted(Path(out).glob("jobs/*.json"))]


def _modes(arguments):
    """Returns the modes that are asked for and can be imported."""
    for mode in arguments.modes or ():
        if mode not in MODES:
            raise InputError(
                f"`--modes` must be of {', '.join(MODES)}. "
                f"Received: --modes={mode}"
            )
    backends = [arguments.backend] if arguments.backend else list(NEEDS)
    if arguments.modes:
        chosen = [m for m in arguments.modes if MODES[m].backend in backends]
        if len(chosen) < len(arguments.modes):
            raise InputError(
                "`--modes` must be of the `--backend`. Received: --modes="
                f"{' '.join(arguments.modes)}, --backend={arguments.backend}"
            )
    else:
        if not arguments.backend:
            backends = [b for b in backends if not _missing(b)] or backends
        if arguments.study == "scaling":
            chosen = [SCALING_MODES[backends[0]]]
        else:
            chosen = [m for m in MODES if MODES[m].backend in backends]
    for mode in chosen:
        missing = _missing(MODES[mode].backend)
        if missing:
            raise InputError(
                f"`--modes` {mode} needs {' and '.join(missing)}; install what "
                f"is missing. Received: --modes={mode}"
            )
    return list(dict.fromkeys(chosen))


def _missing(backend):
    """Returns what a backend's modes need and is not installed."""
    return [n for n in NEEDS[backend] if importlib.util.find_spec(n) is None]


def _shapes(arguments, mode):
    """Returns the names of the shapes that a mode is measured on."""
    names = arguments.shapes
    if not names and arguments.quick:
        by_rows = MODES[mode].by_rows
        names = [QUICK_TABLE] if by_rows else QUICK_SHAPES[arguments.study]
    elif not names:
        scaling = arguments.study == "scaling"
        names = SCALING_SHAPES if scaling else MODES[mode].shapes
    return [n for n in dict.fromkeys(names) if MODES[mode].takes(n)]


def _is_done(job, out):
    """Returns whether an earlier command has measured a job."""
    path = job.path(out)
    if not path.exists():
        return False
    result = _read(path)
    # As JSON has it, which knows no tuples.
    wanted = json.loads(json.dumps(dataclasses.asdict(job)))
    for key, value in wanted.items():
        found = result["job"].get(key)
        if found != value:
            found, value = (
                " ".join(v) if isinstance(v, list) else v
                for v in (found, value)
            )
            raise InputError(
                "`--out` must be new or hold results of the same arguments; "
                f"jobs/{path.name} was measured with {key}={found} instead of "
                f"{value}. Received: --out={out}"
            )
    return "skipped" not in result


def _read(path):
    result = files.read_json("--out", str(path))
    if not isinstance(result, dict) or not isinstance(result.get("job"), dict):
        raise InputError(
            "`--out` must hold results of this benchmark; delete this file to "
            f"measure it again. Received: --out={path}"
        )
    return result


def _process(job, path):
    """Returns the exit status of the process that does a job."""
    environment = {
        **os.environ,
        "KERAS_BACKEND": MODES[job.mode].backend,
        "PYTHONPATH": os.pathsep.join(
            [str(SCRIPTS), *filter(None, [os.environ.get("PYTHONPATH")])]
        ),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(dataclasses.asdict(job))
    return subprocess.run(
        # -P: what lies in the current directory shadows nothing.
        [sys.executable, "-P", "-m", "benchmarks.measure", text, str(path)],
        env=environment,
        # The result of the command is all that it prints there.
        stdout=sys.stderr,
    ).returncode
