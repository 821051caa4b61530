"""Zero gradients and variables without elements change nothing."""

import numpy as np
import pytest

from tests.support.enrolment import every_optimizer
from tests.support.enrolment import few_variants
from tests.support.enrolment.record import Halving
from tests.support.front_ends import KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.properties import SHAPES
from tests.support.properties import Replay
from tests.support.trajectories import positions
from tests.support.trajectories import same_bits
from tests.support.trajectories import stepped

STEPS = 4
ORIGIN = [np.zeros(shape) for shape in SHAPES]


@few_variants
def test_zero_gradients_only_decay(enrolment, variant):
    arguments = {**enrolment.variants[variant]}
    arguments.pop("projection_radius", None)
    decay = arguments.get("weight_decay", enrolment.config["weight_decay"])
    rate = arguments.get("learning_rate", enrolment.config["learning_rate"])
    if not isinstance(rate, Halving):
        rate = Halving(float(np.float32(rate)), every=STEPS)
    path = Replay(enrolment.name, arguments)(
        parameters(SHAPES), [ORIGIN] * STEPS
    )
    expected = parameters(SHAPES)
    for step, after in enumerate(path[1:]):
        if decay:
            factor = 1 - rate.at(step) * decay
            expected = [factor * x for x in expected]
            for actual, value in zip(after, expected, strict=True):
                np.testing.assert_allclose(actual, value, rtol=1e-14)
        else:
            assert same_bits(after, expected)


@pytest.mark.parametrize("threshold", [None, 0.5], ids=str)
@every_optimizer
def test_without_momentum_nothing_moves_on_after_a_zero_gradient(
    enrolment, threshold
):
    without = {"momentum": 0.0, "beta_1": 0.0, "weight_decay": None}
    without["clip_threshold"] = threshold
    arguments = {k: v for k, v in without.items() if k in enrolment.config}
    run = Replay(enrolment.name, arguments)
    first, second = heavy_tailed_gradients(SHAPES, steps=2)
    path = run(parameters(SHAPES), [first, second, ORIGIN, ORIGIN])
    assert any(np.any(a != b) for a, b in zip(path[2], path[1], strict=True))
    assert same_bits(path[3], path[2])
    assert same_bits(path[4], path[2])


@pytest.mark.parametrize(
    "more",
    [
        {"monitor": True, "clipnorm": 0.5},
        {"jit_compile": True, "global_clipnorm": 0.5},
    ],
    ids="+".join,
)
@every_optimizer
def test_empty_variables_leave_the_others_alone(enrolment, more):
    """The scalar among these steps as well."""
    arguments = {**enrolment.variants[enrolment.few[-1]], **more}
    first, last = np.zeros((0,)), np.zeros((3, 0))
    runs = [(parameters(SHAPES), heavy_tailed_gradients(SHAPES, 2))]
    runs += [
        ([first, *x, last], [[first, *g, last] for g in gradients])
        for x, gradients in runs
    ]
    without, among = (
        positions(KERAS, KERAS.optimizer(enrolment.name, **arguments), *run)
        for run in runs
    )
    assert without[-1][2] != without[0][2]
    assert all(map(same_bits, [xs[1:-1] for xs in among], without))


@few_variants
def test_nothing_but_empty_variables_makes_no_nan(enrolment, variant):
    arguments = {"monitor": True, **enrolment.variants[variant]}
    values = [np.zeros((0,)), np.zeros((3, 0))]
    optimizer, _ = stepped(KERAS, enrolment.name, arguments, [values], values)
    assert int(optimizer.update_count) == 1
    assert int(optimizer.skipped_steps) == 0
    assert all(np.isfinite(value).all() for value in KERAS.state(optimizer))
