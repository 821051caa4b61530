"""Trains every enrolled optimizer on two replicas, and on one for comparison.

Usage: python -m tests.support.programs.replicas FRONT_END FILE.npz

For each optimizer and each case `NAME/CASE/one/…` hold the model and the state
of the optimizer after training without a strategy, `NAME/CASE/first/…` and
`NAME/CASE/second/…` the copies on each of two replicas.
"""

import sys

import keras
import numpy as np

from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.programs.replicated import AVERAGES
from tests.support.programs.replicated import CLIP
from tests.support.programs.replicated import fitted
from tests.support.programs.replicated import looped
from tests.support.programs.replicated import maker
from tests.support.programs.replicated import on_one_and_two
from tests.support.programs.replicated import opposing_gradients
from tests.support.programs.replicated import spoiled
from tests.support.programs.replicated import two_replicas
from tests.support.programs.replicated import write


def around_a_bad_step(front_end, strategy, make, replica):
    """Returns copies by kind: on two replicas with one more step, a bad one."""
    good = opposing_gradients()
    steps = [*good[:2], spoiled(good[2], replica), *good[2:]]
    (one,) = looped(front_end, None, make, good)
    first, second = looped(front_end, strategy, make, steps, in_a_graph=True)
    return {"one": one, "first": first, "second": second}


def clipped_on_each(front_end, strategy, enrolment):
    """Returns copies by kind: clipped by NumPy on one replica, by us on two."""
    arguments = {"learning_rate": 0.125}
    if "clip_threshold" in enrolment.config:
        arguments["clip_threshold"] = None
    steps = opposing_gradients()
    clipped = [[_clipped(gradients) for gradients in step] for step in steps]
    make = maker(front_end, enrolment.name, arguments)
    (one,) = looped(front_end, None, make, clipped)
    arguments = {**arguments, "global_clipnorm": 0.25, "clip_per_replica": True}
    make = maker(front_end, enrolment.name, arguments)
    first, second = looped(front_end, strategy, make, steps)
    return {"one": one, "first": first, "second": second}


def _clipped(gradients):
    norm = np.sqrt(sum(np.sum(np.square(g)) for g in gradients))
    return [g * min(1, 0.25 / norm) for g in gradients]


def cases(front_end, strategy):
    """Yields the key and the copies by kind of every case."""
    good = opposing_gradients()
    bad = [*good[:2], spoiled(good[2], 1), *good[3:]]
    for name, enrolment in ENROLMENTS.items():

        def of(arguments, scaled=False, name=name):
            return (
                front_end,
                strategy,
                maker(front_end, name, arguments, scaled),
            )

        for variant in enrolment.few:
            arguments = of(enrolment.variants[variant])
            yield (
                f"{name}/loop/{variant}",
                on_one_and_two(looped, *arguments, good),
            )
        yield (
            f"{name}/loop/averages",
            on_one_and_two(looped, *of({**CLIP, **AVERAGES}), good, True),
        )
        for argument in ("clipnorm", "clipvalue"):
            arguments = of({"learning_rate": 0.125, argument: 0.25})
            yield (
                f"{name}/loop/{argument}, NaN",
                on_one_and_two(looped, *arguments, bad),
            )
        for replica, jit_compile in enumerate((True, False)):
            decay = {"jit_compile": jit_compile, "weight_decay": 0.25}
            yield (
                f"{name}/skipped/replica {replica}",
                around_a_bad_step(*of({**CLIP, **decay}), replica),
            )
        yield (
            f"{name}/skipped/loss scale",
            around_a_bad_step(*of(CLIP, scaled=True), 1),
        )
        yield f"{name}/fit/plain", on_one_and_two(fitted, *of(CLIP))
        yield (
            f"{name}/clip_per_replica/NumPy",
            clipped_on_each(front_end, strategy, enrolment),
        )
    if front_end is KERAS:
        yield from as_keras_clips(strategy)


def as_keras_clips(strategy):
    """Yields SGD of Keras for each way of clipping, and ours that are SGD."""
    thresholds = {"clipvalue": "cclip", "global_clipnorm": "gclip"}
    for argument in ("clipnorm", "clipvalue", "global_clipnorm"):
        rate = {"learning_rate": 0.125}
        clip = {**rate, argument: 0.25}
        ours = {**clip, "clip_threshold": None}
        kinds = {
            "sgd": lambda clip=clip: keras.optimizers.SGD(**clip),
            "aggregated": maker(KERAS, "gclip", ours),
            "ours": maker(KERAS, "gclip", {**ours, "clip_per_replica": True}),
        }
        if argument in thresholds:
            threshold = {"clip_threshold": 0.25, "clip_per_replica": True}
            kinds["threshold"] = maker(
                KERAS, thresholds[argument], {**rate, **threshold}
            )
        yield (
            f"sgd/as_keras/{argument}",
            {
                kind: looped(KERAS, strategy, make, opposing_gradients())[0]
                for kind, make in kinds.items()
            },
        )


def main(front_end, path):
    """Runs all cases of one front end."""
    front_end = {"keras": KERAS, "tf_keras": TF_KERAS}[front_end]
    write(cases(front_end, two_replicas()), path)


if __name__ == "__main__":
    main(*sys.argv[1:])
