"""Shows what a step on a CPU would cost if its arithmetic cost nothing.

Two bounds. With 1,000 small variables a step has to bring the values of the
variables and of their slots into operations and back: here that is done without
a rule between them, and compared with keras Adam. Of large variables, through
which a thread walks by blocks, the bytes have to be moved: here by a rule that
only sums, with as many slots, and compared with `ACClip`.

The printed numbers are milliseconds of a step, the medians of rounds in which
all take turns in random order, and the medians of ratios with their quartiles.
It needs TensorFlow, an idle machine and about two minutes:

    KERAS_BACKEND=tensorflow python scripts/benchmarks/without_arithmetic.py
"""

import dataclasses
import functools
import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

import keras_clip  # noqa: E402
from benchmarks import rounds  # noqa: E402
from benchmarks.tensorflow_steps import copy  # noqa: E402
from keras_clip.on_tensorflow.groups import update_variables  # noqa: E402
from keras_clip.on_tensorflow.program import program_of  # noqa: E402
from keras_clip.rules.clips import UNCLIPPED  # noqa: E402
from keras_clip.rules.rule import Rule  # noqa: E402
from keras_clip.step.updates import Update  # noqa: E402

SMALL, SIZE = 1000, 1000
LARGE, SHAPE = 64, (1024, 768)
ROUNDS = 25
RATE = 1e-6


@dataclasses.dataclass(frozen=True)
class Sums(Rule):
    """A rule that moves what `ACClip` moves, and only adds and multiplies.

    Args:
        count: How many slots it has.
    """

    count: int = 2

    @property
    def slots(self) -> dict[str, float]:
        """Returns the sums."""
        return {f"sum_{place}": 0.0 for place in range(self.count)}

    def moments(self, u, before, learning_rate):
        """Returns the sums; see `Rule`."""
        return tuple(0.9 * value + 0.1 * u for value in before)

    def step(self, u, before, after, learning_rate, k, shared):
        """Returns their sum times the learning rate; see `Rule`."""
        return learning_rate * sum(after)


def small_by_optimizer(
    optimizer: keras.optimizers.Optimizer,
) -> Callable[[], None]:
    """Returns a step of an optimizer on small variables, in a graph.

    Args:
        optimizer: The optimizer, not yet built.
    """
    variables = [keras.Variable(tf.zeros((SIZE,))) for _ in range(SMALL)]
    gradients = [tf.fill((SIZE,), 0.01) for _ in variables]
    optimizer.build(variables)
    update = tf.function(lambda gradients: optimizer.apply(gradients))
    return lambda: update(gradients)


def small_moved(slots: int, joined: bool) -> Callable[[], None]:
    """Returns what reads small variables and slots and assigns what it read.

    Args:
        slots: Slots of every variable.
        joined: Whether as one long vector, as a step needs it.
    """
    columns = [
        [tf.Variable(tf.zeros((SIZE,))) for _ in range(SMALL)]
        for _ in range(1 + slots)
    ]
    gradients = [tf.fill((SIZE,), 0.01) for _ in range(SMALL)]

    @tf.function(autograph=False)
    def move(gradients):
        for column in columns:
            values = [
                tf.raw_ops.ReadVariableOp(
                    resource=variable.handle, dtype=variable.dtype
                )
                for variable in column
            ]
            if joined:
                values = tf.split(tf.concat(values, 0), [SIZE] * SMALL)
            for variable, value in zip(column, values, strict=True):
                variable.assign(value, read_value=False)
        return tf.concat(gradients, 0)[0] if joined else gradients[0][0]

    return lambda: move(gradients)


def large(rule: Rule) -> Callable[[], None]:
    """Returns a step of a rule on large variables, in a graph.

    Args:
        rule: The rule.
    """
    updates = [
        Update(
            tf.Variable(tf.zeros(SHAPE)),
            [tf.Variable(tf.zeros(SHAPE)) for _ in rule.slots],
            tf.fill(SHAPE, 0.01),
            UNCLIPPED,
            tf.constant(1),
        )
        for _ in range(LARGE)
    ]
    programs = functools.cache(program_of)

    @tf.function(autograph=False)
    def update():
        update_variables(
            rule,
            "auto",
            programs,
            [0.0] * LARGE,
            updates,
            tf.constant(RATE),
            (),
        )
        return tf.constant(0)

    return update


def table(
    title: str, steps: dict[str, Callable[[], None]], than: dict[str, str]
) -> None:
    """Measures steps and prints a table.

    Args:
        title: What the first column is.
        steps: Callables by name.
        than: For a name, what it is compared with.
    """
    times = rounds.interleaved(steps, ROUNDS)
    print(f"| {title} | ms | ratio | of |\n| --- | --- | --- | --- |")
    for name, each in times.items():
        cells = [name, f"{1e3 * statistics.median(each):.1f}", "", ""]
        if name in than:
            ratio = rounds.ratio(each, times[than[name]])
            spread = f"[{ratio.low:.2f}, {ratio.high:.2f}]"
            cells[2:] = [f"{ratio.median:.2f} {spread}", than[name]]
        print(f"| {' | '.join(cells)} |", flush=True)
    print()


def main() -> None:
    """Measures all and prints two tables."""
    two = {"step_scaling": "threshold", "weight_decay": None}
    adam = "keras `Adam()`"
    steps = {
        adam: small_by_optimizer(keras.optimizers.Adam(RATE)),
        "`ACClip()`, two slots": small_by_optimizer(
            keras_clip.ACClip(RATE, **two)
        ),
        "`ACClip()`, three slots": small_by_optimizer(keras_clip.ACClip(RATE)),
    }
    for slots, name in ((2, "two"), (3, "three")):
        steps[f"read and assigned, {name} slots"] = small_moved(slots, False)
        steps[f"the same as one vector, {name} slots"] = small_moved(
            slots, True
        )
    others = [name for name in steps if name != adam]
    table("1,000 small variables", steps, dict.fromkeys(others, adam))

    steps, than = {}, {}
    for slots, arguments in ((2, two), (3, {})):
        rule = keras_clip.ACClip(RATE, **arguments).rule
        name = f"`ACClip()`, {slots} slots"
        sums = f"sums, {slots} slots"
        steps |= {name: large(rule), sums: large(Sums(count=slots))}
        than[sums] = name
    steps["copy of 805 MB"] = copy(2**26)
    table("64 variables of 786,432", steps, than)


if __name__ == "__main__":
    main()
