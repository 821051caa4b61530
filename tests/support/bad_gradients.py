"""Gradients that are NaN or infinite somewhere, and steps around them."""

import numpy as np
import pytest

from tests.support.gradients import parameters
from tests.support.trajectories import stepped

# No two shapes are equal: state is found by the shape of its variable.
SHAPES = ((4, 3), (5,), (1,))
RNG = np.random.default_rng(8)
GOOD = [
    [RNG.normal(size=shape).astype("float32") for shape in SHAPES]
    for _ in range(4)
]
NOT_SLOTS = (
    "iterations",
    "gradient_norm",
    "gradient_norms",
    "clip_fraction",
    "clip_fractions",
    "clip_total",
    "skipped_steps",
    "skipped_in_a_row",
)


def one_coordinate(gradients, bad):
    gradients[0][2, 1] = bad


def one_variable(gradients, bad):
    gradients[1][:] = bad


def everywhere(gradients, bad):
    for gradient in gradients:
        gradient[:] = bad


def mixed(gradients, bad):
    gradients[0][1] = [np.inf, -np.inf, np.nan]
    gradients[2][0] = bad


bad_gradients = pytest.mark.parametrize(
    ("where", "bad"),
    [
        (one_coordinate, np.nan),
        (one_coordinate, np.inf),
        (one_coordinate, -np.inf),
        (one_variable, np.nan),
        (one_variable, -np.inf),
        (everywhere, np.inf),
        (mixed, np.nan),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)


def spoiled(where, bad):
    gradients = [g.copy() for g in GOOD[2]]
    where(gradients, bad)
    return gradients


def steps_of(front_end, name, arguments, gradients):
    """Returns an optimizer and the variables that it stepped."""
    arguments = {"learning_rate": 0.125, **arguments}
    return stepped(front_end, name, arguments, gradients, parameters(SHAPES))


def by_variable(front_end, optimizer, variables):
    """Returns, for each variable, its value and its slots, stacked."""
    state = front_end.state(optimizer, without=NOT_SLOTS)
    return [
        np.stack(
            [front_end.value(variable)]
            + [slot for slot in state if slot.shape == variable.shape]
        )
        for variable in variables
    ]
