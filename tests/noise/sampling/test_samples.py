"""Samples that no estimator can use are refused, by name."""

import math

import numpy as np
import pytest

from keras_clip import noise

NORMS = {
    "samples": (noise.hill, noise.hill_curve),
    "norms": (noise.fit_squared_gaussians, noise.fit_squared_stables),
}
OF_NORMS = [(f, name) for name, fs in NORMS.items() for f in fs]
OF_PROJECTIONS = [(f, "samples") for f in (noise.log_moment, noise.kurtosis)]
OF_ANY_NUMBER = [(noise.variance_curve, "norms")]

GOOD = np.arange(1.0, 61.0)


def _message(call, value):
    with pytest.raises(ValueError) as error:
        call(value)
    return str(error.value)


@pytest.mark.parametrize(
    ("value", "wanted", "received"),
    [
        (GOOD[:49], "an array of shape (n,) with n >= 50", "shape (49,)"),
        ([], "an array of shape (n,) with n >= 50", "shape (0,)"),
        (1.0, "an array of shape (n,) with n >= 50", "shape ()"),
        (GOOD[:, None], "an array of shape (n,) with n >= 50", "shape (60, 1)"),
        (GOOD > 3, "an array of shape (n,) with n >= 50", "dtype bool"),
        (GOOD * 1j, "an array of shape (n,) with n >= 50", "dtype complex128"),
        (GOOD.astype(str), "an array of shape (n,) with n >= 50", "dtype <U32"),
        (None, "an array of shape (n,) with n >= 50", "dtype object"),
        ([[1.0], [1.0, 2.0]], "an array of shape (n,) with n >= 50", None),
        (
            np.r_[GOOD, math.nan, math.inf],
            "finite numbers; drop and count the others before",
            "2 of 62 that are not finite",
        ),
        (GOOD - 1, "positive numbers, not all equal", "1 of 60 that are not"),
        (GOOD - 3, "positive numbers, not all equal", "3 of 60 that are not"),
        (np.full(60, 2.5), "positive numbers, not all equal", "60 times 2.5"),
    ],
)
@pytest.mark.parametrize(("call", "name"), OF_NORMS)
def test_bad_norms_are_refused(call, name, value, wanted, received):
    message = _message(call, value)
    assert message.startswith(f"`{name}` must be {wanted}. Received: {name}=")
    if received is None:
        assert message.endswith(f"={value!r}")
    else:
        assert message.endswith(received)


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
            "finite numbers; drop and count the others before",
            "60 of 120 that are not finite",
        ),
        (
            np.c_[GOOD, np.ones(60)],
            "numbers that are not all equal",
            "equal ones",
        ),
    ],
)
@pytest.mark.parametrize(("call", "name"), OF_PROJECTIONS)
def test_bad_projections_are_refused(call, name, value, wanted, received):
    assert _message(call, value) == (
        f"`{name}` must be {wanted}. Received: {name}={received}"
    )


@pytest.mark.parametrize(
    ("value", "wanted", "received"),
    [
        (
            [1.0],
            "an array of shape (n,) with n >= 2",
            "an array of shape (1,)",
        ),
        ([1.0, -1.0], "numbers from 0 on", "1 of 2 that are not"),
        (
            [1.0, math.inf],
            "finite numbers; drop and count the others before",
            "1 of 2 that are not finite",
        ),
    ],
)
@pytest.mark.parametrize(("call", "name"), OF_ANY_NUMBER)
def test_bad_norms_of_a_mean_are_refused(call, name, value, wanted, received):
    assert _message(call, value) == (
        f"`{name}` must be {wanted}. Received: {name}={received}"
    )


@pytest.mark.parametrize("confidence", [0, 1, -0.5, 95, math.nan, "0.9", None])
@pytest.mark.parametrize(
    "call", [noise.hill, noise.hill_curve, noise.log_moment]
)
def test_bad_confidence_is_refused(call, confidence):
    with pytest.raises(ValueError) as error:
        call(GOOD, confidence=confidence)
    assert str(error.value) == (
        "`confidence` must be a number in (0, 1). "
        f"Received: confidence={confidence!r}"
    )
