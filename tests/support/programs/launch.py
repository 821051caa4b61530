"""Runs a program of this package in a process of its own.

It is a fork of one that has imported Keras: see `tests.support.forks`.
"""

import functools
import os
import pickle
import subprocess
import sys
import tempfile

from tests.support.forks import ROOT
from tests.support.forks import Forks


def launch(*arguments, backend):
    """Runs `python *arguments` at the repository's root, as a new process."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )


@functools.cache
def _forks(backend):
    return Forks("keras", KERAS_BACKEND=backend)


def start_program(name, *arguments, backend):
    """Starts a program of this package."""
    module = f"tests.support.programs.{name}"
    return _forks(backend).start("-m", module, *arguments)


def run_program(name, *arguments, backend):
    """Runs a program of this package, which must succeed."""
    program = start_program(name, *arguments, backend=backend)
    output, errors = program.communicate()
    assert program.returncode == 0, errors[-4000:]
    return output


def results_of(name, *arguments, backend):
    """Returns what the `main` of a program of this package returns."""
    with tempfile.NamedTemporaryFile() as file:
        run_program("results", name, file.name, *arguments, backend=backend)
        return pickle.load(file)
