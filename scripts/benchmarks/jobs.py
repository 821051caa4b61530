"""The pieces of work of a benchmark, each for a process of its own."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path

from benchmarks.modes import MODES
from command_line import InputError
from command_line import files

SCRIPTS = Path(__file__).resolve().parents[1]


@dataclasses.dataclass(frozen=True)
class Job:
    """What one process measures.

    Args:
        work: `"measure"` for times, `"memory"` for the peak of memory: the name
            of the module that does it.
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
        """Name of the file of its result."""
        parts = [self.mode, self.shapes.replace(":", "_")]
        if self.work == "memory":
            parts = ["memory", *parts, *self.contestants]
        return "-".join(parts)


def path_of(job: Job, out: str) -> Path:
    """Returns the file of a job's result.

    Args:
        job: The job.
        out: Directory of all results.
    """
    return Path(out) / "jobs" / f"{job.name}.json"


def done(job: Job, out: str) -> bool:
    """Returns whether an earlier command has measured a job.

    What it had to skip for want of memory counts as not measured.

    Args:
        job: The job.
        out: Directory of all results.

    Raises:
        InputError: If there is a result of other arguments in the place of it,
            or it is damaged.
    """
    path = path_of(job, out)
    if not path.exists():
        return False
    result = _read(path)
    # As JSON has it, which knows no tuples.
    wanted = json.loads(json.dumps(dataclasses.asdict(job)))
    for key, value in wanted.items():
        found = result["job"].get(key)
        if found != value:
            raise InputError(
                "`--out` must be new or hold results of the same arguments; "
                f"jobs/{path.name} was measured with {key}="
                f"{_listed(found)} instead of {_listed(value)}. "
                f"Received: --out={out}"
            )
    return "skipped" not in result


def run(jobs: Sequence[Job], out: str, say: Callable[[str], None]) -> list[str]:
    """Does jobs that are not done, one after the other.

    Args:
        jobs: The jobs.
        out: Directory of all results.
        say: Prints a line.

    Returns:
        Names of the jobs whose process failed.

    Raises:
        InputError: If there is a result of other arguments in the place of one.
    """
    # Before hours are spent on those before it.
    finished = [done(job, out) for job in jobs]
    failed = []
    for number, (job, is_done) in enumerate(zip(jobs, finished, strict=True)):
        line = f"{number + 1}/{len(jobs)} {job.name}"
        if is_done:
            say(f"{line}: done before")
            continue
        say(line)
        status = _process(job, path_of(job, out))
        if status:
            failed.append(job.name)
            say(f"  failed with status {status}")
            continue
        result = _read(path_of(job, out))
        if "skipped" in result:
            say(f"  skipped: {result['skipped']}")
    return failed


def results(out: str) -> list[dict]:
    """Returns the results of all jobs that were ever done in a directory.

    Args:
        out: Directory of all results.
    """
    paths = sorted((Path(out) / "jobs").glob("*.json"))
    return [_read(path) for path in paths]


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
    # -P: what lies in the current directory shadows nothing.
    module = ["-P", "-m", f"benchmarks.{job.work}"]
    text = json.dumps(dataclasses.asdict(job))
    return subprocess.run(
        [sys.executable, *module, text, str(path)],
        env=environment,
        # The result of the command is all that it prints there.
        stdout=sys.stderr,
    ).returncode


def _listed(value):
    return " ".join(value) if isinstance(value, list) else value
