"""Runs a program of this package in a process of its own.

It is a fork of one that has imported Keras: see `tests.support.forks`.
"""

import functools
import os
import pathlib
import pickle
import subprocess
import sys
import tempfile

from tests.support.forks import ROOT
from tests.support.forks import Forks

CALL = "tests.support.programs.call"


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


def start_module(module, *arguments, backend):
    """Starts `python -m module *arguments`."""
    return _forks(backend).start("-m", module, *arguments)


def run_module(module, *arguments, backend):
    """Runs `python -m module *arguments`, which must succeed."""
    program = start_module(module, *arguments, backend=backend)
    output, errors = program.communicate()
    assert program.returncode == 0, errors[-4000:]
    return output


def results_of(name, *arguments, backend):
    """Returns what the `main` of a program of this package returns."""
    module = f"tests.support.programs.{name}"
    return _result((module, "main", arguments), backend)


def result_of(function, *arguments, backend):
    """Returns what a function returns in a process of its own."""
    call = function.__module__, function.__name__, arguments
    return _result(call, backend)


def _result(call, backend):
    with tempfile.NamedTemporaryFile() as file:
        pathlib.Path(file.name).write_bytes(pickle.dumps(call))
        run_module(CALL, file.name, backend=backend)
        return pickle.load(file)
