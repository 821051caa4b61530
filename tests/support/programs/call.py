"""Calls a function, for `result_of` in `tests.support.programs.launch`.

Usage: python -m tests.support.programs.call FILE

`FILE` holds the function and its arguments, and then what it has returned.
"""

import pathlib
import pickle
import sys

if __name__ == "__main__":
    path = pathlib.Path(sys.argv[1])
    function, arguments = pickle.loads(path.read_bytes())
    path.write_bytes(pickle.dumps(function(*arguments)))
