"""Starts a program of this package in a process of its own."""

import functools
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).parents[3]


def launch(*arguments, backend):
    """Runs `python *arguments` at the repository's root and returns it."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )


def run_program(name, *arguments, backend):
    """Runs a program of this package, which must succeed."""
    done = launch(
        "-m", f"tests.support.programs.{name}", *arguments, backend=backend
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return done.stdout


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
