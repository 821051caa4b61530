"""Trains optimizers on two replicas, and on one for comparison."""

from unittest import mock

import keras
import numpy as np
import tensorflow as tf

from keras_clip.on_tensorflow import rows
from keras_clip.on_tensorflow import steps
from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.programs import accumulation
from tests.support.programs import outside_scope
from tests.support.programs.replicated import AVERAGES
from tests.support.programs.replicated import CLIP
from tests.support.programs.replicated import by_kind
from tests.support.programs.replicated import copies
from tests.support.programs.replicated import fitted
from tests.support.programs.replicated import looped
from tests.support.programs.replicated import maker
from tests.support.programs.replicated import on_one_and_two
from tests.support.programs.replicated import opposing_gradients
from tests.support.programs.replicated import spoiled
from tests.support.programs.replicated import two_replicas
from tests.support.shared_code import KINDS


def around_a_bad_step(strategy, front_end, make, replica):
    """Returns copies by kind: on two replicas with one more step, a bad one."""
    good = opposing_gradients()
    steps = [*good[:2], spoiled(good[2], replica), *good[2:]]
    return by_kind(
        looped(front_end, None, make, good),
        looped(front_end, strategy, make, steps, in_a_graph=True),
    )


def by_rows(strategy, front_end, make):
    """Returns copies by kind: by dense gradients on one, by rows on two.

    A replica's batch is one example, with fewer tokens than there are rows.
    """
    one = fitted(front_end, None, make, 2)
    with (
        mock.patch.object(rows, "SMALLEST_TABLE", 0),
        mock.patch.object(steps, "merged", wraps=rows.merged) as merged,
    ):
        two = fitted(front_end, strategy, make, 2)
    assert merged.called
    return by_kind(one, two)


def by_unequal_rows(strategy, front_end, make):
    """Returns copies by kind; one replica has more rows than the table has."""
    rng = np.random.default_rng(6)
    parts = [
        (np.float32(rng.normal(size=(n, 3))), rng.integers(0, 6, n))
        for n in (7, 2)
    ]
    alone = [tuple(map(np.concatenate, zip(*parts, strict=True)))]
    with mock.patch.object(rows, "SMALLEST_TABLE", 0):
        return by_kind(
            _stepped_by_rows(
                tf.distribute.get_strategy(), front_end, make, alone
            ),
            _stepped_by_rows(strategy, front_end, make, parts),
        )


def _stepped_by_rows(strategy, front_end, make, parts):
    with strategy.scope():
        optimizer = make()
        model = front_end.variables([np.ones((6, 3))])
        optimizer.build(model)

    def step(values, indices):
        gradient = tf.IndexedSlices(values, indices, tf.constant((6, 3)))
        front_end.apply(optimizer, [gradient], model)

    def distributed(place):
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(
                parts[context.replica_id_in_sync_group][place]
            )
        )

    strategy.run(step, args=(distributed(0), distributed(1)))
    return copies(front_end, strategy, model, optimizer)


def clipped_on_each(strategy, front_end, enrolment):
    """Returns copies by kind: clipped by NumPy on one replica, by us on two."""
    arguments = {"learning_rate": 0.125}
    if "clip_threshold" in enrolment.config:
        arguments["clip_threshold"] = None
    steps = opposing_gradients()
    clipped = [[_clipped(gradients) for gradients in step] for step in steps]
    clip = {**arguments, "global_clipnorm": 0.25, "clip_per_replica": True}
    make, clipping = (
        maker(front_end, enrolment.name, each) for each in (arguments, clip)
    )
    return by_kind(
        looped(front_end, None, make, clipped),
        looped(front_end, strategy, clipping, steps),
    )


def _clipped(gradients):
    norm = np.sqrt(sum(np.sum(np.square(g)) for g in gradients))
    return [g * min(1, 0.25 / norm) for g in gradients]


def as_keras_clips(strategy, argument):
    """Returns SGD of Keras with a way of clipping, and ours that are SGD."""
    thresholds = {"clipvalue": "cclip", "global_clipnorm": "gclip"}
    rate = {"learning_rate": 0.125}
    clip = {**rate, argument: 0.25}
    ours = {**clip, "clip_threshold": None}
    kinds = {
        "sgd": lambda: keras.optimizers.SGD(**clip),
        "aggregated": maker(KERAS, "gclip", ours),
        "ours": maker(KERAS, "gclip", {**ours, "clip_per_replica": True}),
    }
    if argument in thresholds:
        threshold = {"clip_threshold": 0.25, "clip_per_replica": True}
        kinds["threshold"] = maker(
            KERAS, thresholds[argument], {**rate, **threshold}
        )
    return {
        kind: looped(KERAS, strategy, make, opposing_gradients())[0]
        for kind, make in kinds.items()
    }


def _cases_of(front_end, name):
    """Yields keys with a function and its arguments, of all but the loops.

    The function takes the strategy first and returns copies by kind.
    """
    good = opposing_gradients()
    bad = [*good[:2], spoiled(good[2], 1), *good[3:]]
    averaged = maker(front_end, name, {**CLIP, **AVERAGES})
    yield "averages", on_one_and_two, looped, front_end, averaged, good, True
    for argument in ("clipnorm", "clipvalue"):
        make = maker(front_end, name, {"learning_rate": 0.125, argument: 0.25})
        yield f"{argument}, NaN", on_one_and_two, looped, front_end, make, bad
    for replica, jit_compile in enumerate((True, False)):
        decay = {"jit_compile": jit_compile, "weight_decay": 0.25}
        make = maker(front_end, name, {**CLIP, **decay})
        yield f"skipped/{replica}", around_a_bad_step, front_end, make, replica
    make = maker(front_end, name, CLIP, scaled=True)
    yield "loss scale", around_a_bad_step, front_end, make, 1
    make = maker(front_end, name, CLIP)
    yield "fit", on_one_and_two, fitted, front_end, make
    enrolment = ENROLMENTS[name]
    yield "clip_per_replica", clipped_on_each, front_end, enrolment


def _cases():
    """Yields keys with a function and its arguments, of both front ends.

    Every optimizer steps in a loop on Keras 3, two kinds of them in all their
    few variants, and on tf_keras. All else is the front ends' own: one does it.
    """
    good = opposing_gradients()
    for front_end, names in ((KERAS, ENROLMENTS), (TF_KERAS, KINDS)):
        for name in names:
            enrolment = ENROLMENTS[name]
            few = enrolment.few[:1] if front_end is TF_KERAS else enrolment.few
            for variant in few if name in KINDS else few[-1:]:
                make = maker(front_end, name, enrolment.variants[variant])
                yield (
                    f"{front_end}/{name}/loop/{variant}",
                    on_one_and_two,
                    looped,
                    front_end,
                    make,
                    good,
                )
    name = "clip_adam_norm"
    for front_end in (KERAS, TF_KERAS):
        for key, *case in _cases_of(front_end, name):
            yield f"{front_end}/{name}/{key}", *case
    for key, *case in _cases_of(KERAS, "acclip"):
        # That stops coordinates, not whole steps.
        if "NaN" in key:
            yield f"{KERAS}/acclip/{key}", *case
    for key, case in accumulation.CASES.items():
        yield f"{KERAS}/{name}/accumulated/{key}", case, name
    for name in outside_scope.ARGUMENTS:
        for mode in ("eager", "graph"):
            yield (
                f"{KERAS}/{name}/outside_scope/{mode}",
                outside_scope.stepped,
                name,
                mode,
            )
    for front_end in (KERAS, TF_KERAS):
        for name in ("gclip", "clip_adagrad"):
            make = maker(front_end, name, CLIP)
            yield f"{front_end}/{name}/fit by rows", by_rows, front_end, make
        make = maker(front_end, "gclip", CLIP)
        key = f"{front_end}/gclip/loop by unequal rows"
        yield key, by_unequal_rows, front_end, make
    for argument in ("clipnorm", "clipvalue", "global_clipnorm"):
        yield f"{KERAS}/sgd/as_keras/{argument}", as_keras_clips, argument


CASES = {key: case for key, *case in _cases()}


def main(*keys):
    """Returns copies by kind of the named cases, all under one strategy.

    That is the model and the state of the optimizer by the names of variables:
    after training without a strategy (`"one"`), and on each of two replicas.
    """
    strategy = two_replicas()
    results = {}
    for key in keys:
        case, *arguments = CASES[key]
        results[key] = case(strategy, *arguments)
    return results
