"""Gradients of a scaled loss are unscaled before anything clips them."""

import numpy as np
import pytest
import tensorflow as tf

from tests.support.enrolment import every_optimizer
from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.shared_code import both_kinds
from tests.support.shared_code import every_optimizer_once
from tests.support.shared_code import few_variants_once
from tests.support.trajectories import end
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow

SCALE = 1024.0


def _scaled(front_end, optimizer):
    """Returns the framework's dynamic loss scale around an optimizer."""
    framework = front_end.framework
    if front_end is KERAS:
        return framework.optimizers.LossScaleOptimizer(optimizer, SCALE)
    return framework.mixed_precision.LossScaleOptimizer(
        optimizer, initial_scale=SCALE
    )


def _apply(front_end, optimizer, gradients, variables):
    """Steps by gradients of the scaled loss, which tf_keras asks to unscale."""
    tensors = [
        front_end.tensor(g) if isinstance(g, np.ndarray) else g
        for g in gradients
    ]
    if front_end is not KERAS:
        tensors = optimizer.get_unscaled_gradients(tensors)
    front_end.apply(optimizer, tensors, variables)


@pytest.mark.usefixtures("functions_run_eagerly")
@pytest.mark.parametrize("clipnorm", [None, 0.5])
@every_optimizer
def test_loss_scale_factor_is_divided_out_before_clipping(enrolment, clipnorm):
    arguments = enrolment.variants[enrolment.few[1]]
    ends = []
    for factor in (None, SCALE):
        more = {"loss_scale_factor": factor, "global_clipnorm": clipnorm}
        gradients = [
            [g * (factor or 1) for g in step]
            for step in heavy_tailed_gradients(steps=4)
        ]
        run = (enrolment.name, {**arguments, **more}, gradients)
        ends.append(end(KERAS, *run))
    assert same_bits(*ends)


@pytest.mark.usefixtures("functions_run_eagerly")
@few_variants_once
def test_loss_scale_optimizer_unscales_before_clipping(
    front_end, enrolment, variant
):
    ends = []
    for scaled in (False, True):
        inner = front_end.optimizer(
            enrolment.name, **enrolment.variants[variant]
        )
        optimizer = _scaled(front_end, inner)
        variables = front_end.variables(parameters())
        for gradients in heavy_tailed_gradients(steps=3):
            if scaled:
                gradients = [SCALE * g for g in gradients]
                _apply(front_end, optimizer, gradients, variables)
            else:
                front_end.apply(inner, gradients, variables)
        ends.append(front_end.values(variables) + front_end.state(inner))
    assert same_bits(*ends)


@pytest.mark.usefixtures("functions_run_eagerly")
@every_optimizer_once
def test_overflow_halves_the_loss_scale_and_changes_nothing_else(
    front_end, enrolment
):
    """But for the iterations, which tf_keras counts for every optimizer."""
    _assert_overflow_changes_nothing(front_end, enrolment, in_a_graph=False)


@both_kinds
@both_front_ends
def test_overflow_in_a_graph_changes_nothing_else(front_end, enrolment):
    _assert_overflow_changes_nothing(front_end, enrolment, in_a_graph=True)


def _assert_overflow_changes_nothing(front_end, enrolment, in_a_graph):
    arguments = enrolment.variants[enrolment.few[-1]]
    inner = front_end.optimizer(enrolment.name, **arguments)
    optimizer = _scaled(front_end, inner)
    variables = front_end.variables(parameters())
    optimizer.build(variables)

    def step(gradients):
        _apply(front_end, optimizer, gradients, variables)

    if in_a_graph:
        step = tf.function(step)
    gradients = heavy_tailed_gradients(steps=3)
    gradients[1][1][2] = np.inf
    good, bad, last = ([front_end.tensor(g) for g in gs] for gs in gradients)
    step(good)
    kept = ["iterations"] if front_end is not KERAS else []
    before = front_end.values(variables) + front_end.state(inner, without=kept)
    step(bad)
    after = front_end.values(variables) + front_end.state(inner, without=kept)
    assert same_bits(after, before)
    assert int(inner.iterations) == 1 + len(kept)
    name = "dynamic_scale" if front_end is KERAS else "loss_scale"
    assert float(getattr(optimizer, name)) == SCALE / 2
    step(last)
    assert int(inner.update_count) == 2
    ends = zip(front_end.values(variables), before, strict=False)
    assert all(np.any(new != old) for new, old in ends)
