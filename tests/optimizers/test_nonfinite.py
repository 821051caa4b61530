"""A gradient that is NaN or infinite changes nothing that it must not."""

import numpy as np
import pytest

from tests.bad_gradients import GOOD
from tests.bad_gradients import NOT_SLOTS
from tests.bad_gradients import bad_gradients
from tests.bad_gradients import by_variable
from tests.bad_gradients import one_coordinate
from tests.bad_gradients import spoiled
from tests.bad_gradients import steps_of
from tests.enrolment import every_optimizer
from tests.enrolment import few_variants
from tests.front_ends import both_front_ends
from tests.trajectories import same_bits


def _frozen(scope, gradients):
    """Returns masks of the coordinates that a bad gradient must stop."""
    bad = [~np.isfinite(g) for g in gradients]
    if scope == "coordinate":
        return bad
    if scope == "variable":
        return [np.full(b.shape, b.any()) for b in bad]
    stop = any(b.any() for b in bad)
    return [np.full(b.shape, stop) for b in bad]


def _assert_only_the_frozen_kept(
    front_end, name, arguments, scope, gradients, **more
):
    optimizer, variables = steps_of(
        front_end, name, arguments, GOOD[:2], **more
    )
    before = by_variable(front_end, optimizer, variables)
    state = front_end.state(optimizer, without=NOT_SLOTS)
    front_end.apply(optimizer, gradients, variables)
    after = by_variable(front_end, optimizer, variables)
    good = by_variable(
        front_end, *steps_of(front_end, name, arguments, GOOD[:3], **more)
    )
    frozen = _frozen(scope, gradients)
    for new, old, other, mask in zip(after, before, good, frozen, strict=True):
        assert same_bits([new[:, mask]], [old[:, mask]])
        if more.get("global_clipnorm") is None:
            assert same_bits([new[:, ~mask]], [other[:, ~mask]])
        assert len(new) == 1 + len(optimizer.rule.slots)
    if scope == "step":
        assert same_bits(front_end.state(optimizer, without=NOT_SLOTS), state)
    assert int(optimizer.update_count) == (2 if scope == "step" else 3)
    assert int(optimizer.iterations) == 3

    x = front_end.values(variables)
    front_end.apply(optimizer, GOOD[3], variables)
    assert all(
        np.all((a != b) & np.isfinite(a))
        for a, b in zip(front_end.values(variables), x, strict=True)
    )


@bad_gradients
@few_variants
@both_front_ends
def test_bad_gradient_stops_its_scope_and_nothing_else(
    front_end, enrolment, variant, where, bad
):
    _assert_only_the_frozen_kept(
        front_end,
        enrolment.name,
        enrolment.variants[variant],
        enrolment.nonfinite_scope,
        spoiled(where, bad),
    )


@bad_gradients
@every_optimizer
@both_front_ends
def test_decay_stops_where_the_gradient_is_bad(
    front_end, enrolment, where, bad
):
    _assert_only_the_frozen_kept(
        front_end,
        enrolment.name,
        {},
        enrolment.nonfinite_scope,
        spoiled(where, bad),
        weight_decay=0.5,
    )


@pytest.mark.parametrize(
    ("clipping", "scope"),
    [
        ("clipvalue", None),
        ("clipnorm", "variable"),
        ("global_clipnorm", "step"),
    ],
)
@bad_gradients
@every_optimizer
@both_front_ends
def test_keras_clipping_widens_what_a_bad_gradient_stops(
    front_end, enrolment, where, bad, clipping, scope
):
    own = enrolment.nonfinite_scope
    _assert_only_the_frozen_kept(
        front_end,
        enrolment.name,
        {},
        "step" if own == "step" else scope or own,
        spoiled(where, bad),
        **{clipping: 0.5},
    )


@every_optimizer
@both_front_ends
def test_propagated_gradient_makes_parameter_and_state_nan(
    front_end, enrolment
):
    optimizer, variables = steps_of(
        front_end, enrolment.name, {}, GOOD[:2], nonfinite="propagate"
    )
    front_end.apply(optimizer, spoiled(one_coordinate, np.nan), variables)
    values = by_variable(front_end, optimizer, variables)
    assert np.all(np.isnan(values[0][:, 2, 1]))
    others = [np.isfinite(value).all() for value in values[1:]]
    assert others == [enrolment.nonfinite_scope == "coordinate"] * 2


@every_optimizer
@both_front_ends
def test_propagated_bad_global_norm_makes_every_variable_nan(
    front_end, enrolment
):
    optimizer, variables = steps_of(
        front_end,
        enrolment.name,
        {},
        GOOD[:2],
        nonfinite="propagate",
        global_clipnorm=1.0,
    )
    front_end.apply(optimizer, spoiled(one_coordinate, np.inf), variables)
    assert all(np.isnan(x).all() for x in front_end.values(variables))
    assert int(optimizer.update_count) == 3
