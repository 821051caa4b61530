"""Runs all that is to be known of JAX or torch: an import takes five seconds.

Usage: python -m tests.support.programs.other_backend FOLDER

`FOLDER` has a file or a folder of each of the programs, by its name, and
`imports.json`, which says when TensorFlow was imported.
"""

import sys

import keras_clip  # noqa: F401

TENSORFLOW_CAME_WITH_THE_PACKAGE = "tensorflow" in sys.modules

import importlib  # noqa: E402
import json  # noqa: E402
import pathlib  # noqa: E402

import keras  # noqa: E402

# What is written, in the order of the programs that write it.
WRITTEN = {
    "imports": "imports.json",
    "trajectories": "trajectories.npz",
    "training": "training",
    "sparse": "sparse.json",
    "pairing": "pairing.json",
    "overrides": "overrides.json",
    "refusals": "refusals.json",
    "compiled_rules": "compiled_rules.json",
    "export": "export.json",
}
PROGRAMS = [name for name in WRITTEN if name != "imports"]
# Those that only JAX has.
OF_JAX = ("compiled_rules", "export")


def main(folder):
    """Runs the programs of the backend that the environment names."""
    folder = pathlib.Path(folder)
    imports = {
        "backend": keras.backend.backend(),
        "with the package": TENSORFLOW_CAME_WITH_THE_PACKAGE,
    }
    for name in PROGRAMS:
        if imports["backend"] == "jax" or name not in OF_JAX:
            program = importlib.import_module(f"tests.support.programs.{name}")
            program.main(folder / WRITTEN[name])
        imports.setdefault("with the steps", "tensorflow" in sys.modules)
    (folder / WRITTEN["imports"]).write_text(json.dumps(imports))


if __name__ == "__main__":
    main(sys.argv[1])
