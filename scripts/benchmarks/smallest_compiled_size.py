"""Shows from which size on a variable is better updated on its own.

`keras_clip.on_tensorflow.groups` updates smaller variables together, as one
long vector. Here variables of one size are updated in three ways: together,
each by a function that XLA compiles, and each by the plain ops of a graph. The
printed numbers are microseconds for a variable, the median of rounds in which
all ways take turns in random order.

It needs TensorFlow, an idle machine and about five minutes:

    KERAS_BACKEND=tensorflow python scripts/benchmarks/smallest_compiled_size.py
"""

import os
import statistics
import sys
from collections.abc import Callable
from pathlib import Path
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

import keras_clip  # noqa: E402
from benchmarks import rounds  # noqa: E402
from keras_clip.on_tensorflow import groups  # noqa: E402

SIZES = tuple(2**power for power in range(10, 19))
VARIABLES = 64
ROUNDS = 30
# The bound below which variables are updated together, and `jit_compile`.
WAYS = {
    "together": (2**30, True),
    "alone, compiled": (0, True),
    "alone, plain ops": (0, False),
}
OPTIMIZERS = (keras_clip.ACClip, keras_clip.ClipAdamNorm)


def step_in(way: str, optimizer_class: type, size: int) -> Callable[[], None]:
    """Returns what steps variables of one size in one way.

    Args:
        way: A key of `WAYS`.
        optimizer_class: Class of the optimizer.
        size: Elements of every variable.
    """
    bound, jit_compile = WAYS[way]
    optimizer = optimizer_class(learning_rate=1e-6, jit_compile=jit_compile)
    variables = [keras.Variable(tf.zeros((size,))) for _ in range(VARIABLES)]
    gradients = [tf.fill((size,), 0.01) for _ in range(VARIABLES)]
    optimizer.build(variables)
    update = tf.function(lambda gradients: optimizer.apply(gradients))
    with mock.patch.object(groups, "SMALLEST_COMPILED_SIZE", bound):
        update(gradients)
    return lambda: update(gradients)


def main() -> None:
    """Measures all and prints a table."""
    print(f"| optimizer | elements | {' | '.join(WAYS)} |")
    print(f"| --- | --- |{' --- |' * len(WAYS)}")
    for optimizer_class in OPTIMIZERS:
        for size in SIZES:
            steps = {way: step_in(way, optimizer_class, size) for way in WAYS}
            times = rounds.interleaved(steps, ROUNDS)
            cells = [
                f"{1e6 * statistics.median(each) / VARIABLES:.0f}"
                for each in times.values()
            ]
            row = [optimizer_class.__name__, f"{size:,}", *cells]
            print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
