"""Shows how far keras.optimizers and keras_clip are from the right step.

Every case takes the same steps three times: with an optimizer of Keras, with
the one of this package that is the same algorithm, and in NumPy in float64 by
the definition: gradients are summed over replicas and duplicate rows and
averaged over micro-batches, then clipped; a step that is not finite is left
out. The printed numbers are the distance to where NumPy ends, as a share of the
way that NumPy goes: 0 is right, and an optimizer that stands still is off by 1.

It needs TensorFlow, two logical CPUs and about a minute:

    KERAS_BACKEND=tensorflow python scripts/benchmarks/where_clipping_happens.py
"""

import dataclasses
import os
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

import keras_clip  # noqa: E402

SHAPES = ((4, 3), (5,))
TABLE = ((6, 3), (5,))
LEARNING_RATE = 0.125


@dataclasses.dataclass(frozen=True)
class Rows:
    """A sparse gradient of a matrix, as an embedding layer gives."""

    indices: Sequence[int]
    values: np.ndarray

    def dense(self, shape: Sequence[int]) -> np.ndarray:
        """Returns the gradient with duplicate rows summed.

        Args:
            shape: Shape of the matrix.
        """
        result = np.zeros(shape)
        np.add.at(result, list(self.indices), self.values)
        return result

    def __mul__(self, factor: float):
        return Rows(self.indices, self.values * factor)


@dataclasses.dataclass(frozen=True)
class Case:
    """Steps by given gradients.

    Args:
        what: What is special about it.
        steps: For each step the gradients of each replica, a list of arrays or
            `Rows`, one for each variable.
        algorithm: `"SGD"` or `"Adam"`.
        arguments: Arguments of the optimizer.
        dtype: Dtype of the variables and of the gradients.
        loss_scale: Loss scale of a `LossScaleOptimizer` around the optimizer.
    """

    what: str
    steps: Sequence
    algorithm: str
    arguments: Mapping = dataclasses.field(default_factory=dict)
    dtype: str = "float32"
    loss_scale: float | None = None

    @property
    def title(self) -> str:
        """Returns the name in the table."""
        arguments = ", ".join(f"{k}={v}" for k, v in self.arguments.items())
        within = " in LossScaleOptimizer" if self.loss_scale else ""
        return f"{self.algorithm}({arguments}){within}, {self.what}"

    @property
    def shapes(self) -> Sequence[Sequence[int]]:
        """Shapes of the variables, all of which start at one."""
        if isinstance(self.steps[0][0][0], Rows):
            return TABLE
        return [g.shape for g in self.steps[0][0]]


def of_keras(case: Case) -> keras.optimizers.Optimizer:
    """Returns the optimizer of Keras for a case."""
    make = getattr(keras.optimizers, case.algorithm)
    return make(learning_rate=LEARNING_RATE, **case.arguments)


def of_keras_clip(case: Case) -> keras.optimizers.Optimizer:
    """Returns this package's optimizer for the same algorithm."""
    make = {"SGD": keras_clip.GClip, "Adam": keras_clip.ClipAdam}
    return make[case.algorithm](
        learning_rate=LEARNING_RATE, clip_threshold=None, **case.arguments
    )


def by_definition(case: Case) -> list[np.ndarray]:
    """Returns where the steps of a case lead, in NumPy in float64."""
    x = [np.ones(shape) for shape in case.shapes]
    m, v = ([np.zeros_like(value) for value in x] for _ in range(2))
    k = 0
    size = case.arguments.get("gradient_accumulation_steps", 1)
    for first in range(0, len(case.steps), size):
        micro_batches = case.steps[first : first + size]
        replicas = [_dense(g, x) for step in micro_batches for g in step]
        g = [sum(parts) / size for parts in zip(*replicas, strict=True)]
        g = _clipped(g, case.arguments)
        if not all(np.all(np.isfinite(part)) for part in g):
            continue
        k += 1
        if case.algorithm == "Adam":
            m = [0.9 * a + 0.1 * b for a, b in zip(m, g, strict=True)]
            v = [0.999 * a + 0.001 * b**2 for a, b in zip(v, g, strict=True)]
            scale = np.sqrt(1 - 0.999**k) / (1 - 0.9**k)
            g = [
                scale * a / (np.sqrt(b) + 1e-7)
                for a, b in zip(m, v, strict=True)
            ]
        x = [a - LEARNING_RATE * b for a, b in zip(x, g, strict=True)]
    return x


def _dense(gradients: Sequence, x: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Returns gradients as arrays in float64."""
    return [
        g.dense(value.shape) if isinstance(g, Rows) else np.float64(g)
        for g, value in zip(gradients, x, strict=True)
    ]


def _clipped(g: Sequence[np.ndarray], arguments: Mapping) -> list[np.ndarray]:
    """Returns gradients clipped as Keras documents its arguments."""
    norms = [np.linalg.norm(part) for part in g]
    if "clipvalue" in arguments:
        # `np.clip` would make a finite value of an infinite one.
        limit = arguments["clipvalue"]
        return [
            np.where(np.isfinite(part), np.clip(part, -limit, limit), np.nan)
            for part in g
        ]
    if "global_clipnorm" in arguments:
        norms = [np.linalg.norm(norms)] * len(g)
    limit = arguments.get("clipnorm", arguments.get("global_clipnorm", np.inf))
    with np.errstate(invalid="ignore"):
        return [
            part * min(1.0, limit / norm) if norm else part
            for part, norm in zip(g, norms, strict=True)
        ]


def _taken(
    case: Case, make: Callable, strategy: tf.distribute.Strategy
) -> list[np.ndarray]:
    """Returns where an optimizer's steps lead."""
    with strategy.scope():
        optimizer = make(case)
        if case.loss_scale:
            optimizer = keras.optimizers.LossScaleOptimizer(
                optimizer, initial_scale=case.loss_scale
            )
        variables = [
            keras.Variable(np.ones(shape), dtype=case.dtype)
            for shape in case.shapes
        ]
        optimizer.build(variables)

    @tf.function
    def step(gradients):
        strategy.run(
            lambda *g: optimizer.apply(list(g), variables), args=gradients
        )

    for replicas in case.steps:
        step(
            tuple(
                _distributed(strategy, parts, case, shape)
                for parts, shape in zip(
                    zip(*replicas, strict=True), case.shapes, strict=True
                )
            )
        )
    return [np.float64(variable.numpy()) for variable in variables]


def _distributed(
    strategy: tf.distribute.Strategy, parts: Sequence, case: Case, shape
):
    """Returns one gradient as each replica sees it."""

    def part(context):
        g = parts[context.replica_id_in_sync_group] * (case.loss_scale or 1)
        if not isinstance(g, Rows):
            return tf.constant(g, case.dtype)
        return tf.IndexedSlices(
            tf.constant(g.values, case.dtype),
            tf.constant(g.indices),
            tf.constant(shape),
        )

    return strategy.experimental_distribute_values_from_function(part)


def _verdict(case: Case, make: Callable, strategies: Mapping) -> str:
    """Returns a cell of the table."""
    right = np.concatenate([x.ravel() for x in by_definition(case)])
    try:
        found = _taken(case, make, strategies[len(case.steps[0])])
    except RuntimeError as error:
        return f"raises {type(error).__name__}"
    found = np.concatenate([x.ravel() for x in found])
    bad = int(np.sum(~np.isfinite(found)))
    if bad:
        return f"{bad} of {found.size} parameters NaN"
    return f"{np.linalg.norm(found - right) / np.linalg.norm(right - 1):.1g}"


def _cases() -> list[Case]:
    """Returns all cases."""
    rng = np.random.default_rng(0)

    def normal(shapes=SHAPES):
        return [rng.normal(size=shape) for shape in shapes]

    def replicas():
        return [normal(), [4 * g for g in normal()]]

    def spoiled(gradients, value):
        gradients = [g.copy() for g in gradients]
        gradients[0][1, 1] = value
        return gradients

    two = [replicas() for _ in range(4)]
    rows = [
        [[Rows((0, 2, 0, 2, 5), rng.normal(size=(5, 3))), normal()[1]]]
        for _ in range(4)
    ]
    infinite = [[spoiled(normal(), np.inf)], [normal()]]
    half = [[[np.full((4,), 300.0)]]]
    spoiled_replicas = {
        "first": [spoiled(two[0][0], np.nan), two[0][1]],
        "second": [two[0][0], spoiled(two[0][1], np.nan)],
    }
    clips = ({"clipvalue": 0.5}, {"clipnorm": 0.5}, {"global_clipnorm": 0.5})
    accumulated = {**clips[2], "gradient_accumulation_steps": 2}
    halves = "float16 gradients of 300"
    return [
        *(Case("two replicas", two, "SGD", clip) for clip in clips),
        Case("two replicas", two, "Adam", clips[2]),
        *(Case("duplicate rows", rows, "SGD", clip) for clip in clips),
        Case("duplicate rows", rows, "Adam"),
        Case("one Inf", infinite, "SGD", clips[2]),
        *(Case(halves, half, "SGD", clip, "float16") for clip in clips[1:]),
        Case("two replicas", two, "SGD", accumulated),
        *(
            Case(
                f"NaN on the {place} of two replicas",
                [bad, two[1]],
                "SGD",
                clips[2],
                loss_scale=8.0,
            )
            for place, bad in spoiled_replicas.items()
        ),
    ]


def main() -> None:
    """Prints the table."""
    tf.get_logger().setLevel("ERROR")
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * 2
    )
    strategies = {
        1: tf.distribute.get_strategy(),
        2: tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"]),
    }
    print(f"| Case | keras.optimizers {keras.__version__} | keras_clip |")
    print("| --- | --- | --- |")
    for case in _cases():
        cells = [
            _verdict(case, make, strategies)
            for make in (of_keras, of_keras_clip)
        ]
        print(f"| {case.title} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
