"""Runs all that is to be known of JAX or torch: one process is enough."""

import sys

import keras_clip  # noqa: F401

TENSORFLOW_CAME_WITH_THE_PACKAGE = "tensorflow" in sys.modules

import importlib  # noqa: E402

import keras  # noqa: E402

# The first of them takes steps.
PROGRAMS = (
    "trajectories",
    "training",
    "sparse",
    "pairing",
    "overrides",
    "refusals",
    "thresholds",
)
# Those that only JAX has.
OF_JAX = ("compiled_rules", "export")


def main():
    """Returns what each program does, and when TensorFlow was imported."""
    backend = keras.backend.backend()
    imports = {
        "backend": backend,
        "with the package": TENSORFLOW_CAME_WITH_THE_PACKAGE,
    }
    result = {"imports": imports}
    for name in (*PROGRAMS, *(OF_JAX if backend == "jax" else ())):
        program = importlib.import_module(f"tests.support.programs.{name}")
        result[name] = program.main()
        imports.setdefault("with the steps", "tensorflow" in sys.modules)
    return result
