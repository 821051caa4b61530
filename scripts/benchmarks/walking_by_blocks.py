"""Shows what is saved where an update walks through a variable by blocks.

`keras_clip.on_tensorflow.groups` lets one thread walk through a large variable
of a CPU, by the blocks of `keras_clip.on_tensorflow.blocks`. Here variables of
one size are updated so, and as a whole. The printed numbers are milliseconds of
a step, the medians of rounds in which both take turns in random order, and the
median of their ratios with its quartiles.

It needs TensorFlow, an idle machine and about five minutes:

    KERAS_BACKEND=tensorflow python scripts/benchmarks/walking_by_blocks.py
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

# Rows of 256 elements, and how many variables have them.
ROWS = {2**7: 1024, 2**9: 256, 2**11: 64, 2**13: 16, 2**15: 4, 2**17: 2}
COLUMNS = 256
ROUNDS = 15
OPTIMIZERS = {
    "ACClip()": keras_clip.ACClip,
    "ACClip(step_scaling='threshold')": lambda **arguments: keras_clip.ACClip(
        step_scaling="threshold", weight_decay=None, **arguments
    ),
    "ClipAdam()": keras_clip.ClipAdam,
    "CClip()": keras_clip.CClip,
}


def step(make: Callable, rows: int, walks: bool) -> Callable[[], None]:
    """Returns what steps variables of one size.

    Args:
        make: Callable that returns an optimizer.
        rows: Rows of every variable.
        walks: Whether by blocks.
    """
    shape = (rows, COLUMNS)
    variables = [keras.Variable(tf.zeros(shape)) for _ in range(ROWS[rows])]
    gradients = [tf.fill(shape, 0.01) for _ in variables]
    optimizer = make(learning_rate=1e-6)
    optimizer.build(variables)
    update = tf.function(lambda gradients: optimizer.apply(gradients))
    block_of = groups.block_of if walks else lambda shape: None
    with (
        mock.patch.object(groups, "block_of", block_of),
        mock.patch.object(groups, "_threads", lambda: 1),
    ):
        update(gradients)
    return lambda: update(gradients)


def main() -> None:
    """Measures all and prints a table."""
    print(
        "| optimizer | variables | elements of each | whole | blocks | ratio |"
    )
    print("| --- | --- | --- | --- | --- | --- |")
    for name, make in OPTIMIZERS.items():
        for rows, number in ROWS.items():
            steps = {walks: step(make, rows, walks) for walks in (False, True)}
            times = rounds.interleaved(steps, ROUNDS)
            ratio = rounds.ratio(times[True], times[False])
            cells = [
                f"`{name}`",
                f"{number:,}",
                f"{rows * COLUMNS:,}",
                *(f"{1e3 * statistics.median(times[w]):.1f}" for w in times),
                f"{ratio.median:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]",
            ]
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
