"""The ways in which steps are taken."""

import dataclasses

from benchmarks.shapes import BERTS

# The shapes of a comparison where nothing else is asked for.
SHAPES = ("bert-tiny", "bert-base", "bert-large", "many-small", "one-large")


@dataclasses.dataclass(frozen=True)
class Mode:
    """One way to take a step.

    Args:
        title: What tables call it.
        backend: `"tensorflow"` or `"jax"`.
        families: Whose optimizers can step in this way.
        references: Names of the contestants that all are compared with, the
            first one in plots.
        shapes: Names of the shapes that it is measured on by default.
        trains: Whether a step is a whole training step of a BERT, and not the
            update alone.
        steps: How many steps one call takes; what is timed is divided by it.
    """

    title: str
    backend: str
    families: tuple[str, ...]
    references: tuple[str, ...] = ("adam",)
    shapes: tuple[str, ...] = SHAPES
    trains: bool = False
    steps: int = 1

    def takes(self, shapes: str) -> bool:
        """Returns whether it can be measured on these shapes.

        Args:
            shapes: Name of shapes.
        """
        return not self.trains or shapes in BERTS


_KERAS = ("keras", "keras_clip")
MODES = {
    "eager": Mode("TensorFlow, eager", "tensorflow", _KERAS),
    "graph": Mode("TensorFlow, graph", "tensorflow", _KERAS),
    # All updates in one XLA program: compiling that for 199 variables and for
    # every optimizer takes long, so `bert-base` has to be asked for.
    "xla": Mode(
        "TensorFlow, XLA",
        "tensorflow",
        _KERAS,
        shapes=("bert-tiny", "one-large"),
    ),
    "tf_keras": Mode(
        "tf_keras, graph",
        "tensorflow",
        ("tf_keras", "keras_clip"),
        references=("tf_keras_adam",),
    ),
    "fit": Mode(
        "TensorFlow, whole step of fit",
        "tensorflow",
        ("none", *_KERAS),
        shapes=("bert-tiny",),
        trains=True,
    ),
    "jax": Mode(
        "JAX, jit with donation",
        "jax",
        ("optax", *_KERAS),
        references=("adam", "optax_adam"),
    ),
    # On a GPU a call costs the host as much as the device: here is the device.
    "jax-device": Mode(
        "JAX, ten steps in one program",
        "jax",
        ("optax", *_KERAS),
        references=("adam", "optax_adam"),
        shapes=("bert-tiny", "bert-base", "bert-large", "one-large"),
        steps=10,
    ),
    "jax-fit": Mode(
        "JAX, whole training step",
        "jax",
        ("none", "optax", *_KERAS),
        references=("adam", "optax_adam"),
        shapes=("bert-tiny",),
        trains=True,
    ),
}
