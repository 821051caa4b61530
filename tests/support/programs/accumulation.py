"""Accumulates gradients on two replicas with every enrolled optimizer.

Usage: python -m tests.support.programs.accumulation FILE.npz

The file is as that of the program `replicas`. Only Keras 3 accumulates.
"""

import sys
import tempfile

import tensorflow as tf

from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.programs.replicated import AVERAGES
from tests.support.programs.replicated import CLIP
from tests.support.programs.replicated import Loop
from tests.support.programs.replicated import fitted
from tests.support.programs.replicated import looped
from tests.support.programs.replicated import maker
from tests.support.programs.replicated import on_one_and_two
from tests.support.programs.replicated import opposing_gradients
from tests.support.programs.replicated import spoiled
from tests.support.programs.replicated import two_replicas
from tests.support.programs.replicated import write

MICRO_BATCHES = 3
ACCUMULATION = {**CLIP, "gradient_accumulation_steps": MICRO_BATCHES}


def means(steps):
    """Returns the steps by the mean of every few micro-batches."""
    return [
        [
            [sum(parts) / MICRO_BATCHES for parts in zip(*replica, strict=True)]
            for replica in zip(
                *steps[first : first + MICRO_BATCHES], strict=True
            )
        ]
        for first in range(0, len(steps), MICRO_BATCHES)
    ]


def against_whole_batches(strategy, name, train, whole, *split):
    """Returns copies by kind: whole batches on one replica, split on two.

    Args:
        strategy: The strategy with two replicas.
        name: Name of the optimizer.
        train: `looped` or `fitted`.
        whole: What `train` takes for whole batches.
        *split: What it takes for micro-batches.
    """
    (one,) = train(KERAS, None, maker(KERAS, name, CLIP), whole)
    make = maker(KERAS, name, ACCUMULATION)
    first, second = train(KERAS, strategy, make, *split)
    return {"one": one, "first": first, "second": second}


def resumed(strategy, make, steps):
    """Returns copies by kind: trained at once, and resumed half-way."""
    half = len(steps) // 2
    assert half % MICRO_BATCHES
    whole, before, after = (Loop(KERAS, strategy, make) for _ in range(3))
    for step in steps:
        whole.step(step)
    for step in steps[:half]:
        before.step(step)
    with tempfile.TemporaryDirectory() as folder:
        path = _checkpoint(before).write(f"{folder}/checkpoint")
        _checkpoint(after).read(path).assert_consumed()
    for step in steps[half:]:
        after.step(step)
    first, second = after.result()
    return {"one": whole.result()[0], "first": first, "second": second}


def _checkpoint(loop):
    return tf.train.Checkpoint(optimizer=loop.optimizer, model=loop.model)


def cases(strategy):
    """Yields the key and the copies by kind of every case."""
    steps = opposing_gradients(4 * MICRO_BATCHES)
    bad = [*steps]
    bad[MICRO_BATCHES + 1] = spoiled(bad[MICRO_BATCHES + 1], 1)
    good = means([*steps[:MICRO_BATCHES], *steps[2 * MICRO_BATCHES :]])
    for name in ENROLMENTS:
        yield (
            f"{name}/accumulation/loop with NaN",
            against_whole_batches(strategy, name, looped, good, bad, True),
        )
        yield (
            f"{name}/accumulation/fit",
            against_whole_batches(strategy, name, fitted, 48, 16),
        )
        make = maker(KERAS, name, {**ACCUMULATION, **AVERAGES})
        yield (
            f"{name}/accumulation/averages with NaN",
            on_one_and_two(looped, KERAS, strategy, make, bad),
        )
        yield (
            f"{name}/accumulation/resumed",
            resumed(strategy, make, steps[:8]),
        )


def main(path):
    """Runs all cases."""
    write(cases(two_replicas()), path)


if __name__ == "__main__":
    main(*sys.argv[1:])
