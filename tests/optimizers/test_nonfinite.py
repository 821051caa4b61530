"""A gradient that is NaN or infinite changes nothing that it must not."""

import numpy as np
import pytest

from tests.enrolment import every_optimizer
from tests.enrolment import few_variants
from tests.front_ends import KERAS
from tests.front_ends import both_front_ends
from tests.gradients import parameters
from tests.trajectories import same_bits

# No two shapes are equal: state is found by the shape of its variable.
SHAPES = ((4, 3), (5,), (1,))
RNG = np.random.default_rng(8)
GOOD = [
    [RNG.normal(size=shape).astype("float32") for shape in SHAPES]
    for _ in range(4)
]
NOT_SLOTS = ("iterations", "gradient_norm", "clip_fraction", "skipped_steps")


def _coordinate(gradients, bad):
    gradients[0][2, 1] = bad


def _variable(gradients, bad):
    gradients[1][:] = bad


def _everything(gradients, bad):
    for gradient in gradients:
        gradient[:] = bad


def _mixed(gradients, bad):
    gradients[0][1] = [np.inf, -np.inf, np.nan]
    gradients[2][0] = bad


bad_gradients = pytest.mark.parametrize(
    ("where", "bad"),
    [
        (_coordinate, np.nan),
        (_coordinate, np.inf),
        (_coordinate, -np.inf),
        (_variable, np.nan),
        (_variable, -np.inf),
        (_everything, np.inf),
        (_mixed, np.nan),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)).strip("_"),
)


def _spoiled(where, bad):
    gradients = [g.copy() for g in GOOD[2]]
    where(gradients, bad)
    return gradients


def _frozen(scope, gradients):
    """Returns masks of the coordinates that a bad gradient must stop."""
    bad = [~np.isfinite(g) for g in gradients]
    if scope == "coordinate":
        return bad
    if scope == "variable":
        return [np.full(b.shape, b.any()) for b in bad]
    stop = any(b.any() for b in bad)
    return [np.full(b.shape, stop) for b in bad]


def _steps(front_end, name, arguments, gradients, **more):
    """Returns an optimizer and the variables that it stepped."""
    optimizer = front_end.optimizer(
        name, **{"learning_rate": 0.125, **arguments, **more}
    )
    variables = front_end.variables(parameters(SHAPES))
    for gradient in gradients:
        front_end.apply(optimizer, gradient, variables)
    return optimizer, variables


def _by_variable(front_end, optimizer, variables):
    """Returns, for each variable, its value and its slots, stacked."""
    state = front_end.state(optimizer, without=NOT_SLOTS)
    return [
        np.stack(
            [front_end.value(variable)]
            + [slot for slot in state if slot.shape == variable.shape]
        )
        for variable in variables
    ]


def _assert_only_the_frozen_kept(
    front_end, name, arguments, scope, gradients, **more
):
    optimizer, variables = _steps(front_end, name, arguments, GOOD[:2], **more)
    before = _by_variable(front_end, optimizer, variables)
    front_end.apply(optimizer, gradients, variables)
    after = _by_variable(front_end, optimizer, variables)
    good = _by_variable(
        front_end, *_steps(front_end, name, arguments, GOOD[:3], **more)
    )
    frozen = _frozen(scope, gradients)
    for new, old, other, mask in zip(after, before, good, frozen, strict=True):
        assert same_bits([new[:, mask]], [old[:, mask]])
        if more.get("global_clipnorm") is None:
            assert same_bits([new[:, ~mask]], [other[:, ~mask]])
        assert len(new) > 1
    whole = all(mask.all() for mask in frozen)
    counted = 2 if scope == "step" and whole else 3
    assert int(optimizer.update_count) == counted
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
        _spoiled(where, bad),
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
        _spoiled(where, bad),
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
        _spoiled(where, bad),
        **{clipping: 0.5},
    )


@every_optimizer
@both_front_ends
def test_skipped_steps_are_counted_when_monitored(front_end, enrolment):
    optimizer, variables = _steps(
        front_end, enrolment.name, {}, GOOD[:1], monitor=True
    )
    assert int(optimizer.skipped_steps) == 0
    for count, where in enumerate((_coordinate, _everything, _mixed), start=1):
        front_end.apply(optimizer, _spoiled(where, np.nan), variables)
        front_end.apply(optimizer, GOOD[0], variables)
        assert int(optimizer.skipped_steps) == count


@every_optimizer
@both_front_ends
def test_step_that_the_global_norm_skips_leaves_averages_alone(
    front_end, enrolment
):
    optimizer, variables = _steps(
        front_end,
        enrolment.name,
        {"global_clipnorm": 1.0, "use_ema": True, "ema_momentum": 0.5},
        GOOD[:3],
    )
    before = front_end.state(optimizer, without=NOT_SLOTS)
    front_end.apply(optimizer, _spoiled(_coordinate, np.nan), variables)
    assert same_bits(front_end.state(optimizer, without=NOT_SLOTS), before)


@every_optimizer
@both_front_ends
def test_averages_start_at_the_variables_though_the_first_step_is_skipped(
    front_end, enrolment
):
    arguments = {"global_clipnorm": 1.0, "use_ema": True, "ema_momentum": 0.5}
    optimizer, variables = _steps(
        front_end, enrolment.name, arguments, [_spoiled(_everything, np.inf)]
    )
    path = [front_end.values(variables)]
    for gradients in GOOD[:2]:
        front_end.apply(optimizer, gradients, variables)
        path.append(front_end.values(variables))
    if front_end is KERAS:
        expected = [(a + b) / 2 for a, b in zip(*path[1:], strict=True)]
    else:
        expected = [(a + b + 2 * c) / 4 for a, b, c in zip(*path, strict=True)]
    optimizer.finalize_variable_values(variables)
    for actual, value in zip(
        front_end.values(variables), expected, strict=True
    ):
        np.testing.assert_allclose(actual, value, rtol=1e-6)


@every_optimizer
@both_front_ends
def test_step_that_the_global_norm_skips_applies_no_constraint(
    front_end, enrolment
):
    """A loaded weight may break its constraint until it is stepped."""
    layer = front_end.framework.layers.Dense(
        3, use_bias=False, kernel_constraint="non_neg"
    )
    layer.build((None, 4))
    layer.kernel.assign(-np.ones((4, 3)))
    optimizer = front_end.optimizer(enrolment.name, global_clipnorm=1.0)
    front_end.apply(optimizer, [np.full((4, 3), np.nan)], [layer.kernel])
    assert np.all(front_end.value(layer.kernel) == -1)


@every_optimizer
@both_front_ends
def test_propagated_gradient_makes_parameter_and_state_nan(
    front_end, enrolment
):
    optimizer, variables = _steps(
        front_end, enrolment.name, {}, GOOD[:2], nonfinite="propagate"
    )
    front_end.apply(optimizer, _spoiled(_coordinate, np.nan), variables)
    values = _by_variable(front_end, optimizer, variables)
    assert np.all(np.isnan(values[0][:, 2, 1]))
    others = [np.isfinite(value).all() for value in values[1:]]
    assert others == [enrolment.nonfinite_scope == "coordinate"] * 2


@every_optimizer
@both_front_ends
def test_propagated_bad_global_norm_makes_every_variable_nan(
    front_end, enrolment
):
    optimizer, variables = _steps(
        front_end,
        enrolment.name,
        {},
        GOOD[:2],
        nonfinite="propagate",
        global_clipnorm=1.0,
    )
    front_end.apply(optimizer, _spoiled(_coordinate, np.inf), variables)
    assert all(np.isnan(x).all() for x in front_end.values(variables))
    assert int(optimizer.update_count) == 3


@every_optimizer
def test_bad_micro_batch_stops_its_update_only(enrolment):
    """Gradient accumulation: the next update's micro-batches are all good."""
    optimizer, variables = _steps(
        KERAS, enrolment.name, {}, GOOD[:2], gradient_accumulation_steps=2
    )
    before = KERAS.values(variables)
    for gradients in (_spoiled(_everything, np.inf), GOOD[0]):
        KERAS.apply(optimizer, gradients, variables)
    assert same_bits(KERAS.values(variables), before)
    for gradients in GOOD[:2]:
        KERAS.apply(optimizer, gradients, variables)
    assert all(
        np.all((a != b) & np.isfinite(a))
        for a, b in zip(KERAS.values(variables), before, strict=True)
    )
