"""No step is longer than its bound."""

import dataclasses
import functools
from collections.abc import Callable
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.enrolment.record import Polynomial
from tests.support.oracles.clipping import norm
from tests.support.properties import SHAPES
from tests.support.properties import SIZE
from tests.support.properties import Replay
from tests.support.properties import in_shapes
from tests.support.properties import property_of
from tests.support.properties import signed
from tests.support.properties import vectors

STEPS = 4
ROUNDING = 1 + 1e-12

# From gradients far below any epsilon to some that are all but infinite; the
# square of none overflows or is lost.
gradient = vectors(signed(400)).map(in_shapes)
gradients = st.lists(gradient, min_size=STEPS, max_size=STEPS)


@dataclasses.dataclass(frozen=True, repr=False)
class Bound:
    """A bound of the way that parameters go in a step.

    Args:
        name: Name of the optimizer.
        at: Returns the bound at step k, 1 for the first, for a learning rate of
            1. The first step attains it if its gradient is one long coordinate.
        arguments: Arguments of the optimizer.
        of: What keeps the bound: all parameters together (`"step"`), those of
            each `"variable"`, or every `"coordinate"`.
    """

    name: str
    at: Callable[[int], float | np.ndarray]
    arguments: Mapping[str, object]
    of: str = "step"

    @functools.cached_property
    def replay(self):
        arguments = {"learning_rate": 1.0, "weight_decay": None}
        return Replay(self.name, {**arguments, **self.arguments})


def _momentum(k, mu):
    """`Σ μ^j` over j < k: what the steps of SGD with momentum add up to."""
    return (1 - mu**k) / (1 - mu)


def _adam(k, beta_1, beta_2):
    """`|m_k| ≤ bound · √v_k`, by Cauchy and Schwarz."""
    weights = (beta_1**2 / beta_2) ** np.arange(k)
    return (1 - beta_1) / np.sqrt(1 - beta_2) * np.sqrt(np.sum(weights))


def _corrected_adam(k, beta_1, beta_2):
    correction = np.sqrt(1 - beta_2**k) / (1 - beta_1**k)
    return correction * _adam(k, beta_1, beta_2)


def _adagrad(k, beta_1):
    """`|m_k| ≤ bound · √(Σ u²)`, likewise."""
    weights = beta_1 ** (2 * np.arange(k))
    return (1 - beta_1) * np.sqrt(np.sum(weights))


BETAS = {"beta_1": 0.5, "beta_2": 0.75}
BOUNDS = {
    "acclip-threshold": Bound(
        "acclip",
        lambda k: 1.0,
        {"step_scaling": "threshold", "alpha": 1.5},
        of="coordinate",
    ),
    "acclip-threshold,corrected": Bound(
        "acclip",
        lambda k: 1.0,
        {"step_scaling": "threshold", "bias_correction": True},
        of="coordinate",
    ),
    # τ ≤ (1 − β2^k)^(1/α − 1/2) √v, for means of a higher order are larger.
    "acclip-rms": Bound(
        "acclip",
        lambda k: np.sqrt((1 - 0.75**k) / 0.75),
        {**BETAS, "alpha": 1.0},
        of="coordinate",
    ),
    "acclip-rms,alpha=2": Bound(
        "acclip",
        lambda k: np.sqrt(1 / 0.75),
        {"beta_1": 0.25, "beta_2": 0.75, "alpha": 2.0},
        of="coordinate",
    ),
    "gclip": Bound("gclip", lambda k: 0.5, {"clip_threshold": 0.5}),
    "gclip-momentum": Bound(
        "gclip",
        lambda k: 0.5 * _momentum(k, 0.75),
        {"clip_threshold": 0.5, "momentum": 0.75},
    ),
    "gclip-polynomial": Bound(
        "gclip",
        lambda k: 0.5 * k**0.25,
        {"clip_threshold": Polynomial(0.5, 0.25)},
    ),
    "cclip-momentum": Bound(
        "cclip",
        lambda k: 0.5 * _momentum(k, 0.75),
        {"clip_threshold": 0.5, "momentum": 0.75},
        of="coordinate",
    ),
    "cclip-arrays": Bound(
        "cclip",
        lambda k: np.arange(1, SIZE + 1) / 4,
        {"clip_threshold": in_shapes(np.arange(1, SIZE + 1) / 4)},
        of="coordinate",
    ),
    "clip_adam_norm": Bound(
        "clip_adam_norm",
        lambda k: _adam(k, 0.5, 0.75) / np.sqrt(3),
        {**BETAS, "initial_accumulator": 1e-6, "accumulator_scale": 3.0},
    ),
    "clip_adam_norm-None,corrected": Bound(
        "clip_adam_norm",
        lambda k: _corrected_adam(k, 0.5, 0.75),
        {
            **BETAS,
            "clip_threshold": None,
            "initial_accumulator": 1e-6,
            "bias_correction": True,
        },
    ),
    # b_{k−d}² ≥ β2^(k−d) b_0², and ‖m_k‖ ≤ (1 − β1^k) λ.
    "clip_adam_norm-delay=2": Bound(
        "clip_adam_norm",
        lambda k: (1 - 0.5**k) * 2 / (4 * 0.75 ** (max(k - 2, 0) / 2)),
        {
            **BETAS,
            "clip_threshold": 2.0,
            "initial_accumulator": 4.0,
            "delay": 2,
        },
    ),
    "clip_adagrad_norm-beta_1": Bound(
        "clip_adagrad_norm",
        lambda k: _adagrad(k, 0.5) / np.sqrt(3),
        {"beta_1": 0.5, "initial_accumulator": 1e-6, "accumulator_scale": 3.0},
    ),
    "clip_adagrad_norm-delay=1": Bound(
        "clip_adagrad_norm",
        lambda k: 2 / 4,
        {"clip_threshold": 2.0, "initial_accumulator": 4.0, "delay": 1},
    ),
    "clip_adam-layer": Bound(
        "clip_adam",
        lambda k: _corrected_adam(k, 0.5, 0.75),
        {**BETAS, "clipping": "layer"},
        of="coordinate",
    ),
    "clip_adam-coordinate,delay=1": Bound(
        "clip_adam",
        lambda k: 2 * (1 - 0.5**k) / (4 * 0.75 ** ((k - 1) / 2)),
        {
            **BETAS,
            "clip_threshold": 2.0,
            "clipping": "coordinate",
            "initial_accumulator_value": 16.0,
            "delay": 1,
        },
        of="coordinate",
    ),
    "clip_adagrad-global": Bound(
        "clip_adagrad",
        lambda k: 2 / np.sqrt(2**2 + 4),
        {"clip_threshold": 2.0, "initial_accumulator_value": 4.0},
        of="coordinate",
    ),
    "clip_adagrad-beta_1": Bound(
        "clip_adagrad",
        lambda k: _adagrad(k, 0.5),
        {"beta_1": 0.5, "initial_accumulator_value": 0.0},
        of="coordinate",
    ),
    "clip_adagrad-layer,delay=1": Bound(
        "clip_adagrad",
        lambda k: 2 / 4,
        {
            "clip_threshold": 2.0,
            "clipping": "layer",
            "initial_accumulator_value": 16.0,
            "delay": 1,
        },
        of="variable",
    ),
}
every_bound = pytest.mark.parametrize("bound", BOUNDS.values(), ids=BOUNDS)
ORIGIN = [np.zeros(shape) for shape in SHAPES]


def _sizes(move, of):
    """Returns the lengths of a move that a bound holds for."""
    if of == "step":
        return norm(move)
    if of == "variable":
        return np.array([norm([part]) for part in move])
    return np.abs(np.concatenate([part.ravel() for part in move]))


def _moves(path):
    return [
        [b - a for a, b in zip(before, after, strict=True)]
        for before, after in zip(path[:-1], path[1:], strict=True)
    ]


@every_bound
@property_of
@given(g=gradients)
def test_no_gradient_makes_a_longer_step(bound, g):
    for k, move in enumerate(_moves(bound.replay(ORIGIN, g)), start=1):
        assert np.all(_sizes(move, bound.of) <= bound.at(k) * ROUNDING)


@every_bound
def test_one_long_coordinate_attains_the_bound(bound):
    g = [np.zeros(shape) for shape in SHAPES]
    g[1][2] = -1e6
    (move,) = _moves(bound.replay(ORIGIN, [g]))
    attained = np.max(_sizes(move, bound.of) / bound.at(1))
    np.testing.assert_allclose(attained, 1, rtol=1e-5)


# Arguments with which the first step from the origin is the clipped gradient.
FIRST_STEPS = {
    "gclip-step": {},
    "cclip-coordinate": {},
    **{
        f"{name}-step": {"beta_1": 0.0, "initial_accumulator": 1.0, "delay": 1}
        for name in ("clip_adam_norm", "clip_adagrad_norm")
    },
    **{
        f"{name}-{of}": {
            "beta_1": 0.0,
            "clipping": clipping,
            "epsilon": 2.0**-60,
            "initial_accumulator_value": 1.0,
            "delay": 1,
        }
        for name in ("clip_adam", "clip_adagrad")
        for clipping, of in (
            ("global", "step"),
            ("layer", "variable"),
            ("coordinate", "coordinate"),
        )
    },
}


@functools.cache
def _first_step(key):
    arguments = {"learning_rate": 1.0, "clip_threshold": 2.0}
    return Replay(key.split("-")[0], {**arguments, **FIRST_STEPS[key]})


@pytest.mark.parametrize("key", FIRST_STEPS)
@property_of
@given(g=gradient)
def test_clipped_gradient_has_the_norm_of_the_threshold_if_that_binds(key, g):
    """And the direction of the gradient; else it is the gradient itself."""
    (move,) = _moves(_first_step(key)(ORIGIN, [g]))
    of = key.split("-")[1]
    before, after = _sizes(g, of), _sizes(move, of)
    np.testing.assert_allclose(after, np.minimum(before, 2.0), rtol=1e-13)
    if of == "step":
        before, after = [before] * len(g), [after] * len(g)
    if of == "coordinate":
        before, after = in_shapes(before), in_shapes(after)
    for step, gradient, length, shorter in zip(
        move, g, before, after, strict=True
    ):
        unit = np.where(length > 0, length, 1.0)
        np.testing.assert_allclose(
            -step, gradient / unit * shorter, rtol=1e-12, atol=1e-300
        )


@functools.cache
def _projected(name):
    arguments = {"learning_rate": 1.0, "momentum": 0.5}
    return Replay(name, {**arguments, "projection_radius": 3.0})


@pytest.mark.parametrize("name", ["gclip", "cclip"])
@property_of
@given(x=gradient, g=gradients)
def test_projected_parameters_stay_in_the_ball(name, x, g):
    assert all(norm(xs) <= 3.0 * ROUNDING for xs in _projected(name)(x, g)[1:])
