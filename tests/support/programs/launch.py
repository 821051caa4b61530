"""Runs a program of this package in a process of its own.

It is a fork of one that has imported Keras: see `tests.support.forks`.
"""

import functools
import json
import os
import pathlib
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


def run_module(module, *arguments, backend):
    """Runs `python -m module *arguments`, which must succeed."""
    done = _forks(backend).run("-m", module, *arguments)
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


def run_program(name, *arguments, backend):
    """Runs a program of this package, which must succeed."""
    module = f"tests.support.programs.{name}"
    return run_module(module, *arguments, backend=backend)


def result_of(function, *arguments, backend):
    """Returns what a function returns in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "call")
        path.write_bytes(pickle.dumps((function, arguments)))
        run_program("call", path, backend=backend)
        return pickle.loads(path.read_bytes())


def results_of(name, folder):
    """Returns what a program writes to a JSON file, by the backend.

    Args:
        name: Name of the program.
        folder: Path of a directory for the files.
    """

    @functools.cache
    def results(backend):
        file = folder / f"{backend}.json"
        run_program(name, file, backend=backend)
        return json.loads(file.read_text())

    return results
