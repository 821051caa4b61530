"""Turns a command line into the pieces of work that it asks for."""

import argparse
import importlib.util
from collections.abc import Sequence
from pathlib import Path

from benchmarks import contestants
from benchmarks import shapes
from benchmarks.jobs import Job
from benchmarks.modes import MODES
from command_line import InputError

# What a mode imports.
NEEDS = {
    "tensorflow": ("tensorflow", "tf_keras"),
    "jax": ("jax", "optax"),
}
SCALING_SHAPES = (
    *(f"parameters:{n}" for n in ("1e6", "1e7", "1e8", "1e9")),
    *(f"variables:{n}" for n in (10, 30, 100, 300, 1000, 3000)),
)
SCALING_OPTIMIZERS = ("adam", "acclip", "acclip_threshold", "clip_adam_norm")
SCALING_MODES = {"tensorflow": "graph", "jax": "jax"}
# What --quick makes of them.
QUICK_SHAPES = {
    "comparison": ("tiny-test",),
    "scaling": ("parameters:1e3", "parameters:1e4", "variables:1"),
}
QUICK_ROUNDS = 3
QUICK_COPY = 2**16


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
        shapes.of(name)
    timed = []
    for mode in _modes(arguments):
        names = [c.name for c in contestants.of_mode(mode, _named(arguments))]
        for name in _shapes(arguments, mode):
            if not names:
                continue
            job = Job(
                work="measure",
                mode=mode,
                shapes=name,
                contestants=names,
                rounds=QUICK_ROUNDS if arguments.quick else arguments.rounds,
                seed=arguments.seed,
                copy_elements=QUICK_COPY if arguments.quick else 0,
            )
            timed.append(job)
    if not timed:
        raise InputError(
            "`--modes` must be able to step the optimizers and to take the "
            "shapes asked for: fit and jax-fit train only BERTs, and each mode "
            "has the optimizers of its framework. Received: --modes="
            + " ".join(_modes(arguments))
        )
    if arguments.memory:
        _check_memory_can_be_measured()
        return [*timed, *_of_memory(timed)]
    return timed


def _modes(arguments: argparse.Namespace) -> list[str]:
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


def _missing(backend: str) -> list[str]:
    """Returns what a backend's modes need and is not installed."""
    return [n for n in NEEDS[backend] if importlib.util.find_spec(n) is None]


def _named(arguments: argparse.Namespace) -> Sequence[str]:
    """Returns the names of the optimizers that are asked for."""
    if arguments.optimizers or arguments.study != "scaling":
        return arguments.optimizers or ()
    return SCALING_OPTIMIZERS


def _shapes(arguments: argparse.Namespace, mode: str) -> Sequence[str]:
    """Returns the names of the shapes that a mode is measured on."""
    names = arguments.shapes
    if not names and arguments.quick:
        names = QUICK_SHAPES[arguments.study]
    elif not names:
        scaling = arguments.study == "scaling"
        names = SCALING_SHAPES if scaling else MODES[mode].shapes
    return [n for n in dict.fromkeys(names) if MODES[mode].takes(n)]


def _of_memory(timed: Sequence[Job]) -> list[Job]:
    """Returns the jobs that measure the memory of what others time."""
    fields = {"work": "memory", "rounds": 0, "copy_elements": 0}
    return [
        Job(**{**vars(job), **fields, "contestants": [name]})
        for job in timed
        for name in job.contestants
        if name != "none"
    ]


def _check_memory_can_be_measured() -> None:
    if not Path("/proc/self/clear_refs").exists():
        raise InputError(
            "`--memory` must be left out where there is no Linux, which alone "
            "forgets a peak on request. Received: --memory"
        )
