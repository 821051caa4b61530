"""A gradient that is NaN or infinite changes nothing that it must not."""

import functools

import numpy as np
import pytest

from tests.support.bad_gradients import GOOD
from tests.support.bad_gradients import NOT_SLOTS
from tests.support.bad_gradients import bad_gradients
from tests.support.bad_gradients import by_variable
from tests.support.bad_gradients import mixed
from tests.support.bad_gradients import one_coordinate
from tests.support.bad_gradients import spoiled
from tests.support.bad_gradients import steps_of
from tests.support.enrolment import every_optimizer
from tests.support.enrolment import every_variant
from tests.support.enrolment import few_variants
from tests.support.enrolment.record import widest
from tests.support.front_ends import KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.trajectories import assert_moves_as_the_oracle
from tests.support.trajectories import same_bits
from tests.support.trajectories import stepped

some_bad_gradients = pytest.mark.parametrize(
    ("where", "bad"), [(one_coordinate, np.inf), (mixed, np.nan)]
)


@functools.cache
def _after_good_steps(name, arguments):
    optimizer, variables = steps_of(KERAS, name, dict(arguments), GOOD[:3])
    return by_variable(KERAS, optimizer, variables)


def _frozen(scope, gradients):
    """Returns masks of the coordinates that a bad gradient must stop."""
    bad = [~np.isfinite(g) for g in gradients]
    if scope == "coordinate":
        return bad
    if scope == "variable":
        return [np.full(b.shape, b.any()) for b in bad]
    stop = any(b.any() for b in bad)
    return [np.full(b.shape, stop) for b in bad]


def _assert_only_the_frozen_kept(name, arguments, scope, gradients):
    optimizer, variables = steps_of(KERAS, name, arguments, GOOD[:2])
    before = by_variable(KERAS, optimizer, variables)
    state = KERAS.state(optimizer, without=NOT_SLOTS)
    KERAS.apply(optimizer, gradients, variables)
    after = by_variable(KERAS, optimizer, variables)
    good = _after_good_steps(name, tuple(arguments.items()))
    frozen = _frozen(scope, gradients)
    for new, old, other, mask in zip(after, before, good, frozen, strict=True):
        assert same_bits([new[:, mask]], [old[:, mask]])
        assert same_bits([new[:, ~mask]], [other[:, ~mask]])
        assert len(new) == 1 + len(optimizer.rule.slots)
    if scope == "step":
        assert same_bits(KERAS.state(optimizer, without=NOT_SLOTS), state)
    assert int(optimizer.update_count) == (2 if scope == "step" else 3)
    assert int(optimizer.iterations) == 3

    x = KERAS.values(variables)
    KERAS.apply(optimizer, GOOD[3], variables)
    assert all(
        np.all((a != b) & np.isfinite(a))
        for a, b in zip(KERAS.values(variables), x, strict=True)
    )


@bad_gradients
@few_variants
def test_bad_gradient_stops_its_scope_and_nothing_else(
    enrolment, variant, where, bad
):
    _assert_only_the_frozen_kept(
        enrolment.name,
        enrolment.variants[variant],
        enrolment.nonfinite_scope(enrolment.variants[variant]),
        spoiled(where, bad),
    )


@every_variant
def test_steps_around_bad_gradients_are_those_of_the_oracle(enrolment, variant):
    """So what a threshold remembers stays as well as variables and slots."""
    arguments = enrolment.variants[variant]
    gradients = heavy_tailed_gradients(steps=8)
    gradients[0][1][2] = np.nan
    gradients[2][0][1, 1] = np.nan
    gradients[4][1][:] = np.inf
    gradients[5][2][...] = -np.inf
    optimizer = assert_moves_as_the_oracle(
        KERAS, enrolment, arguments, gradients
    )
    stops = enrolment.nonfinite_scope(arguments) == "step"
    assert int(optimizer.update_count) == (4 if stops else 8)


@pytest.mark.parametrize(
    ("dtype", "size"), [("float32", 1e20), ("float64", 1e160)]
)
@few_variants
def test_gradient_whose_square_overflows_is_bad_unless_clipped(
    enrolment, variant, dtype, size
):
    """Clipping by coordinate brings it down, at a threshold of its own."""
    arguments = enrolment.variants[variant]
    scope = enrolment.nonfinite_scope(arguments)
    clipped = scope == "coordinate" and "clip_threshold" in arguments
    gradients = [np.ones_like(x) for x in parameters()]
    gradients[0][2, 1] = size
    _, variables = stepped(
        KERAS, enrolment.name, arguments, [gradients], dtype=dtype
    )
    ends = zip(KERAS.values(variables), parameters(), strict=True)
    moved = [after != before.astype(dtype) for after, before in ends]
    bad = [np.where(g == size, np.nan, g) for g in gradients]
    frozen = _frozen(scope, bad)
    for where, mask in zip(moved, frozen, strict=True):
        np.testing.assert_array_equal(where, ~mask | clipped)


@some_bad_gradients
@every_optimizer
def test_decay_stops_where_the_gradient_is_bad(enrolment, where, bad):
    _assert_only_the_frozen_kept(
        enrolment.name,
        {"weight_decay": 0.5},
        enrolment.nonfinite_scope({}),
        spoiled(where, bad),
    )


@pytest.mark.parametrize(
    ("clipping", "scope"),
    [
        ("clipvalue", "coordinate"),
        ("clipnorm", "variable"),
        ("global_clipnorm", "step"),
    ],
)
@some_bad_gradients
@every_optimizer
def test_keras_clipping_widens_what_a_bad_gradient_stops(
    enrolment, where, bad, clipping, scope
):
    _assert_only_the_frozen_kept(
        enrolment.name,
        {clipping: 0.5},
        widest(enrolment.nonfinite_scope({}), scope),
        spoiled(where, bad),
    )


@every_optimizer
def test_propagated_gradient_makes_parameter_and_state_nan(enrolment):
    gradients = [*GOOD[:2], spoiled(one_coordinate, np.nan)]
    optimizer, variables = steps_of(
        KERAS, enrolment.name, {"nonfinite": "propagate"}, gradients
    )
    values = by_variable(KERAS, optimizer, variables)
    assert np.all(np.isnan(values[0][:, 2, 1]))
    others = [np.isfinite(value).all() for value in values[1:]]
    assert others == [enrolment.nonfinite_scope({}) != "step"] * 2


@every_optimizer
def test_propagated_bad_global_norm_makes_every_variable_nan(enrolment):
    gradients = [*GOOD[:2], spoiled(one_coordinate, np.inf)]
    arguments = {"nonfinite": "propagate", "global_clipnorm": 1.0}
    optimizer, variables = steps_of(KERAS, enrolment.name, arguments, gradients)
    assert all(np.isnan(x).all() for x in KERAS.values(variables))
    assert int(optimizer.update_count) == 3
