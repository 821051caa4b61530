"""Keras' own clipping arguments clip before the optimizer's equations."""

import numpy as np
import pytest

from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.shared_code import KINDS
from tests.support.trajectories import assert_close
from tests.support.trajectories import oracle_positions
from tests.support.trajectories import positions

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("functions_run_eagerly"),
]

THRESHOLD = 0.5


def _shorten(gradients, norm):
    factor = min(1.0, THRESHOLD / norm) if norm else 1.0
    return [g * factor for g in gradients]


def _by_global_norm(gradients):
    squares = [np.sum(np.square(g)) for g in gradients]
    return _shorten(gradients, np.sqrt(sum(squares)))


def _by_norm(gradients):
    return [_shorten([g], np.linalg.norm(g))[0] for g in gradients]


def _by_value(gradients):
    return [np.clip(g, -THRESHOLD, THRESHOLD) for g in gradients]


@pytest.mark.parametrize(
    ("argument", "clip"),
    [
        ("global_clipnorm", _by_global_norm),
        ("clipnorm", _by_norm),
        ("clipvalue", _by_value),
    ],
    ids=["global_clipnorm", "clipnorm", "clipvalue"],
)
@pytest.mark.parametrize(
    ("front_end", "name", "dtype"),
    [
        *((KERAS, name, "float64") for name in ENROLMENTS),
        *((TF_KERAS, name, "float32") for name in KINDS),
    ],
)
def test_steps_are_the_oracles_on_gradients_that_numpy_clipped(
    front_end, name, dtype, argument, clip
):
    """Every third step is too short to be clipped."""
    arguments = {"learning_rate": 0.25}
    gradients = heavy_tailed_gradients(steps=8)
    for step in range(0, len(gradients), 3):
        gradients[step] = [g / 2**20 for g in gradients[step]]
    clipped = [clip(g) for g in gradients]
    changed = [
        any(np.any(a != b) for a, b in zip(g, c, strict=True))
        for g, c in zip(gradients, clipped, strict=True)
    ]
    assert changed == [bool(step % 3) for step in range(len(gradients))]
    optimizer = front_end.optimizer(name, **arguments, **{argument: THRESHOLD})
    actual = positions(front_end, optimizer, parameters(), gradients, dtype)
    expected = oracle_positions(
        ENROLMENTS[name], arguments, parameters(), clipped
    )
    assert_close(actual, expected, dtype)
