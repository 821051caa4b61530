"""Calls a function, for `results_of` in `tests.support.programs.launch`.

Usage: python -m tests.support.programs.call FILE

`FILE` holds the names of its module and of the function and the arguments,
pickled, and then what it has returned.
"""

import importlib
import pathlib
import pickle
import sys

if __name__ == "__main__":
    path = pathlib.Path(sys.argv[1])
    module, name, arguments = pickle.loads(path.read_bytes())
    function = getattr(importlib.import_module(module), name)
    path.write_bytes(pickle.dumps(function(*arguments)))
