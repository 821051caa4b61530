"""The ways of taking steps and the shapes that are measured."""

import dataclasses
import math

from command_line import InputError

Shape = tuple[int, ...]


@dataclasses.dataclass(frozen=True)
class Bert:
    """Sizes of a BERT.

    Args:
        vocabulary: Number of tokens.
        hidden: Hidden size.
        layers: Number of layers.
        heads: Number of attention heads.
        intermediate: Size of the feed-forward layers.
        positions: Longest sequence.
        types: Number of token types.
    """

    vocabulary: int
    hidden: int
    layers: int
    heads: int
    intermediate: int
    positions: int
    types: int = 2

    def shapes(self) -> list[Shape]:
        """Returns the shapes of Model Garden's encoder of these sizes."""
        h, heads, wide = self.hidden, self.heads, self.intermediate
        norm = [(h,), (h,)]
        projection = [(h, heads, h // heads), (heads, h // heads)]
        attention = [*projection * 3, (heads, h // heads, h), (h,)]
        feed_forward = [(h, wide), (wide,), (wide, h), (h,)]
        tables = [self.vocabulary, self.positions, self.types]
        return [
            *((rows, h) for rows in tables),
            *norm,
            *[*attention, *norm, *feed_forward, *norm] * self.layers,
            *[(h, h), (h,)],
        ]


BERTS = {
    "tiny-test": Bert(64, 8, 1, 2, 16, 16),
    "bert-tiny": Bert(30522, 128, 2, 2, 512, 512),
    "bert-small": Bert(30522, 256, 6, 4, 1024, 512),
    "bert-base": Bert(30522, 768, 12, 12, 3072, 512),
    "bert-large": Bert(30522, 1024, 24, 16, 4096, 512),
}
OTHERS = {
    "many-small": [(1_000,)] * 1_000,
    "one-large": [(100_000_000,)],
    "embedding": [(1_000_000, 64)],
    "tiny-embedding": [(10_000, 8)],
}
TABLES = ("embedding", "tiny-embedding")
# How many rows of these tables have a gradient, drawn at random.
ROWS_WITH_A_GRADIENT = 4096
# How the studies of scaling cut N parameters, and how large N variables are.
PARAMETERS_A_VARIABLE = 1_000_000
SIZE_OF_VARIABLES = 10_000


def shapes_of(name: str) -> list[Shape]:
    """Returns the shapes that a name stands for.

    Args:
        name: A key of `BERTS` or `OTHERS`; `"parameters:N"` for N parameters in
            variables of a million; `"variables:N"` for N variables of 10,000.

    Returns:
        A shape for each variable.

    Raises:
        InputError: If the name stands for nothing.
    """
    if name in BERTS:
        return BERTS[name].shapes()
    if name in OTHERS:
        return list(OTHERS[name])
    kind, _, number = name.partition(":")
    n = _count(number)
    if kind == "parameters" and n:
        whole, rest = divmod(n, PARAMETERS_A_VARIABLE)
        return [(PARAMETERS_A_VARIABLE,)] * whole + [(rest,)] * bool(rest)
    if kind == "variables" and n:
        return [(SIZE_OF_VARIABLES,)] * n
    raise InputError(
        f"`--shapes` must be of {', '.join([*BERTS, *OTHERS])}, parameters:N, "
        f"variables:N with N from 1 to 1e12. Received: --shapes={name}"
    )


def parameters_of(shapes: list[Shape]) -> int:
    """Returns how many numbers variables of these shapes hold.

    Args:
        shapes: A shape for each variable.
    """
    return sum(math.prod(shape) for shape in shapes)


def _count(text):
    """Returns a number such as `1000` or `1e9`, or 0 if it is none."""
    try:
        value = float(text)
    except ValueError:
        return 0
    return int(value) if 1 <= value <= 1e12 and value.is_integer() else 0


# The shapes of a comparison where nothing else is asked for.
SHAPES = ("bert-tiny", "bert-base", "bert-large", "many-small", "one-large")


@dataclasses.dataclass(frozen=True)
class Mode:
    """One way to take a step.

    Args:
        title: What tables call it.
        backend: `"tensorflow"`, `"jax"` or `"torch"`.
        families: Whose optimizers can step in this way.
        references: Names of the contestants that all are compared with, the
            first one in plots.
        shapes: Names of the shapes that it is measured on by default.
        trains: Whether a step is a whole training step of a BERT, and not the
            update alone.
        steps: How many steps one call takes; what is timed is divided by it.
        by_rows: Whether gradients are `tf.IndexedSlices`.
        jit_compile: The argument of this package's optimizers, if not its
            default.
    """

    title: str
    backend: str
    families: tuple[str, ...]
    references: tuple[str, ...] = ("adam",)
    shapes: tuple[str, ...] = SHAPES
    trains: bool = False
    steps: int = 1
    by_rows: bool = False
    jit_compile: bool | None = None

    def takes(self, shapes: str) -> bool:
        """Returns whether it can be measured on these shapes.

        Args:
            shapes: Name of shapes.
        """
        if self.by_rows:
            return shapes in TABLES
        return not self.trains or shapes in BERTS


_KERAS = ("keras", "keras_clip")
_ON_TORCH = ("bert-small", "bert-base", "many-small")
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
    "torch": Mode("torch", "torch", _KERAS, shapes=_ON_TORCH),
    "torch-uncompiled": Mode(
        "torch, without a compiler",
        "torch",
        _KERAS,
        shapes=_ON_TORCH,
        jit_compile=False,
    ),
    "rows": Mode(
        "TensorFlow, graph, rows of an embedding",
        "tensorflow",
        _KERAS,
        references=("sgd_clipped",),
        shapes=("embedding",),
        by_rows=True,
    ),
}
