"""Imports the package where SciPy and matplotlib are not installed.

Usage: python -m tests.support.programs.without_extras
"""

import sys

if __name__ == "__main__":
    sys.modules["matplotlib"] = sys.modules["scipy"] = None
    import keras_clip.callbacks
    import keras_clip.noise  # noqa: F401

    print("imported")
