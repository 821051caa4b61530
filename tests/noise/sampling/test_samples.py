"""Samples that no estimator can use are refused, by name."""

import math

import numpy as np
import pytest

from keras_clip import noise
from tests.support.refusals import refused

OF_NORMS = [
    (noise.hill, "samples"),
    (noise.hill_curve, "samples"),
    (noise.fit_squared_gaussians, "norms"),
    (noise.fit_squared_stables, "norms"),
]

GOOD = np.arange(1.0, 61.0)
SHAPE = "an array of shape (n,) with n >= 50"
FINITE = "finite numbers; drop and count the others before"


@pytest.mark.parametrize(
    ("value", "wanted", "received"),
    [
        (GOOD[:49], SHAPE, "shape (49,)"),
        ([], SHAPE, "shape (0,)"),
        (1.0, SHAPE, "shape ()"),
        (GOOD[:, None], SHAPE, "shape (60, 1)"),
        (GOOD > 3, SHAPE, "dtype bool"),
        (GOOD * 1j, SHAPE, "dtype complex128"),
        (GOOD.astype(str), SHAPE, "dtype <U32"),
        (None, SHAPE, "dtype object"),
        ([[1.0], [1.0, 2.0]], SHAPE, "=[[1.0], [1.0, 2.0]]"),
        (
            np.r_[GOOD, math.nan, math.inf],
            FINITE,
            "2 of 62 that are not finite",
        ),
        (GOOD - 1, "positive numbers, not all equal", "1 of 60 that are not"),
        (GOOD - 3, "positive numbers, not all equal", "3 of 60 that are not"),
        (np.full(60, 2.5), "positive numbers, not all equal", "60 times 2.5"),
    ],
)
@pytest.mark.parametrize(("call", "name"), OF_NORMS)
def test_bad_norms_are_refused(call, name, value, wanted, received):
    with refused(f"`{name}` must be {wanted}. Received: {name}=", received):
        call(value)


SHAPES = "an array of shape (n,) or (n, p) with n >= 50"


@pytest.mark.parametrize(
    ("value", "wanted", "received"),
    [
        (GOOD[:49], SHAPES, "an array of shape (49,)"),
        (np.ones((2, 60)), SHAPES, "an array of shape (2, 60)"),
        (np.ones((60, 2, 2)), SHAPES, "an array of shape (60, 2, 2)"),
        (np.ones((60, 0)), SHAPES, "shape (60, 0)"),
        (GOOD > 3, SHAPES, "an array of dtype bool"),
        (
            np.c_[GOOD, GOOD * math.nan],
            FINITE,
            "60 of 120 that are not finite",
        ),
        (
            np.c_[GOOD, np.ones(60)],
            "numbers that are not all equal",
            "equal ones",
        ),
    ],
)
@pytest.mark.parametrize("call", [noise.log_moment, noise.kurtosis])
def test_bad_projections_are_refused(call, value, wanted, received):
    with refused(f"`samples` must be {wanted}. Received: samples={received}"):
        call(value)


@pytest.mark.parametrize(
    ("value", "wanted", "received"),
    [
        (
            [1.0],
            "an array of shape (n,) with n >= 2",
            "an array of shape (1,)",
        ),
        ([1.0, -1.0], "numbers from 0 on", "1 of 2 that are not"),
        ([1.0, math.inf], FINITE, "1 of 2 that are not finite"),
    ],
)
def test_bad_norms_of_a_mean_are_refused(value, wanted, received):
    with refused(f"`norms` must be {wanted}. Received: norms={received}"):
        noise.variance_curve(value)


@pytest.mark.parametrize("confidence", [0, 1, -0.5, 95, math.nan, "0.9", None])
@pytest.mark.parametrize(
    "call", [noise.hill, noise.hill_curve, noise.log_moment, noise.report]
)
def test_bad_confidence_is_refused(call, confidence):
    with refused(
        "`confidence` must be a number in (0, 1). "
        f"Received: confidence={confidence!r}"
    ):
        call(GOOD, confidence=confidence)
