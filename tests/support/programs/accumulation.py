"""Accumulates gradients on two replicas, as Keras 3 alone does."""

import tempfile

import tensorflow as tf

from tests.support.front_ends import KERAS
from tests.support.programs.replicated import AVERAGES
from tests.support.programs.replicated import CLIP
from tests.support.programs.replicated import Loop
from tests.support.programs.replicated import by_kind
from tests.support.programs.replicated import fitted
from tests.support.programs.replicated import looped
from tests.support.programs.replicated import maker
from tests.support.programs.replicated import on_one_and_two
from tests.support.programs.replicated import opposing_gradients
from tests.support.programs.replicated import spoiled

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
    return by_kind(
        train(KERAS, None, maker(KERAS, name, CLIP), whole),
        train(KERAS, strategy, maker(KERAS, name, ACCUMULATION), *split),
    )


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
    return by_kind(whole.result()[:1], after.result())


def _checkpoint(loop):
    return tf.train.Checkpoint(optimizer=loop.optimizer, model=loop.model)


STEPS = opposing_gradients(4 * MICRO_BATCHES)
BAD = [*STEPS]
BAD[MICRO_BATCHES + 1] = spoiled(BAD[MICRO_BATCHES + 1], 1)
GOOD = means([*STEPS[:MICRO_BATCHES], *STEPS[2 * MICRO_BATCHES :]])


def in_a_loop_with_nan(strategy, name):
    return against_whole_batches(strategy, name, looped, GOOD, BAD, True)


def in_fit(strategy, name):
    return against_whole_batches(strategy, name, fitted, 48, 16)


def averages_with_nan(strategy, name):
    make = maker(KERAS, name, {**ACCUMULATION, **AVERAGES})
    return on_one_and_two(strategy, looped, KERAS, make, BAD)


def resumed_in_the_middle(strategy, name):
    make = maker(KERAS, name, {**ACCUMULATION, **AVERAGES})
    return resumed(strategy, make, STEPS[:8])


CASES = {
    "loop with NaN": in_a_loop_with_nan,
    "fit": in_fit,
    "averages with NaN": averages_with_nan,
    "resumed": resumed_in_the_middle,
}
