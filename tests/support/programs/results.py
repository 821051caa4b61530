"""Writes what the `main` of another program returns.

Usage: python -m tests.support.programs.results NAME FILE [ARGUMENT ...]
"""

import importlib
import pathlib
import pickle
import sys

if __name__ == "__main__":
    name, file, *arguments = sys.argv[1:]
    program = importlib.import_module(f"tests.support.programs.{name}")
    pathlib.Path(file).write_bytes(pickle.dumps(program.main(*arguments)))
