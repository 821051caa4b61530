"""The thresholds on their own: what they compute, take and write."""

import json
import math

import keras
import numpy as np
import pytest
from keras import ops

from keras_clip import thresholds
from keras_clip.thresholds import AdaptiveThreshold
from keras_clip.thresholds import PolynomialThreshold
from tests.support.refusals import refused

NAN, INF = float("nan"), float("inf")


def _tensor(value):
    return ops.convert_to_tensor(value, "float64")


def _unit(threshold, k, norm=None, moment=None):
    """Returns the unit and the moment at update k, as floats or arrays."""
    parameters = tuple(_tensor(value) for value in threshold.parameters)
    moment = threshold.moment_after(
        _tensor(k),
        parameters,
        None if norm is None else _tensor(norm),
        None if moment is None else _tensor(moment),
    )
    unit = threshold.unit(_tensor(k), parameters, moment)
    return np.asarray(unit), None if moment is None else np.asarray(moment)


@pytest.mark.parametrize(
    ("power", "expected"),
    [
        (0.5, (1.0, math.sqrt(2), math.sqrt(10))),
        (1.0, (1.0, 2.0, 10.0)),
        (0.0, (1.0, 1.0, 1.0)),
        (-1.0, (1.0, 0.5, 0.1)),
        (2 / 3, (1.0, 1.5874010519681994, 4.641588833612778)),
    ],
)
def test_polynomial_threshold_is_a_power_of_the_update(power, expected):
    threshold = PolynomialThreshold(2.0, power)
    assert threshold.scale == 2.0
    units = [_unit(threshold, k)[0] for k in (1.0, 2.0, 10.0)]
    np.testing.assert_allclose(units, expected, rtol=1e-14)


def test_polynomial_threshold_keeps_no_moment():
    assert _unit(PolynomialThreshold(), 3.0)[1] is None
    assert not PolynomialThreshold.moves_with_norm


@pytest.mark.parametrize(
    ("beta", "alpha", "norms", "moments", "units"),
    [
        # ½ · 4 = 2, over 1 − ½; ½ · 2 + ½ · 8 = 5, over 1 − ¼; …
        (0.5, 1.0, (4.0, 8.0, 0.0), (2.0, 5.0, 2.5), (4.0, 20 / 3, 20 / 7)),
        # ¼ · 3² = 9/4; ¾ · 9/4 + ¼ · 5² = 127/16.
        (
            0.75,
            2.0,
            (3.0, 5.0),
            (2.25, 7.9375),
            (3.0, math.sqrt(7.9375 / 0.4375)),
        ),
        # ½ · 4^1.5 = 4; ½ · 4 + ½ · 9^1.5 = 15.5.
        (0.5, 1.5, (4.0, 9.0), (4.0, 15.5), (4.0, (15.5 / 0.75) ** (2 / 3))),
        # Without memory it is the norm itself.
        (0.0, 1.0, (4.0, 8.0, 0.5), (4.0, 8.0, 0.5), (4.0, 8.0, 0.5)),
        (0.0, 2.0, (4.0, 8.0), (16.0, 64.0), (4.0, 8.0)),
        (0.5, 1.0, (0.0, 8.0), (0.0, 4.0), (0.0, 16 / 3)),
    ],
)
def test_adaptive_threshold_is_the_corrected_moment_of_the_norms(
    beta, alpha, norms, moments, units
):
    threshold = AdaptiveThreshold(3.0, beta, alpha)
    assert threshold.scale == 3.0
    moment = 0.0
    for k, norm in enumerate(norms):
        unit, moment = _unit(threshold, k + 1.0, norm, moment)
        np.testing.assert_allclose(moment, moments[k], rtol=1e-14)
        np.testing.assert_allclose(unit, units[k], rtol=1e-14)


def test_first_adaptive_threshold_is_the_first_norm():
    for threshold in (AdaptiveThreshold(), AdaptiveThreshold(1.0, 0.9, 1.25)):
        unit, _ = _unit(threshold, 1.0, 7.0, 0.0)
        np.testing.assert_allclose(unit, 7.0, rtol=1e-12)


def test_adaptive_thresholds_of_several_norms_do_not_mix():
    threshold = AdaptiveThreshold(1.0, 0.5, 1.5)
    norms, before = [4.0, 0.0, 9.0], [1.0, 2.0, 0.0]
    units, moments = _unit(threshold, 2.0, norms, before)
    for index in range(3):
        unit, moment = _unit(threshold, 2.0, norms[index], before[index])
        np.testing.assert_allclose(units[index], unit, rtol=1e-14)
        np.testing.assert_allclose(moments[index], moment, rtol=1e-14)


@pytest.mark.parametrize(
    ("beta", "alpha", "norms", "moments", "units"),
    [
        # Means of 4, 2 and of the third; then ½ · 6 + ½ · 2 and so on.
        (
            0.5,
            1.0,
            (4.0, 2.0, 12.0, 2.0, 8.0),
            (4.0, 3.0, 6.0, 4.0, 6.0),
            (INF, INF, INF, 6.0, 4.0),
        ),
        # Means of 4 and 16; zeros; ¾ · 20/3 + ¼ · 9.
        (
            0.75,
            2.0,
            (2.0, 4.0, 0.0, 3.0),
            (4.0, 10.0, 20 / 3, 7.25),
            (INF, INF, INF, math.sqrt(20 / 3)),
        ),
        # From zeros it begins anew.
        (
            0.5,
            1.0,
            (0.0, 0.0, 0.0, 0.0, 4.0, 2.0),
            (0.0, 0.0, 0.0, 0.0, 4.0, 3.0),
            (INF, INF, INF, INF, INF, 4.0),
        ),
    ],
)
def test_threshold_of_clipped_norms_is_the_moment_before_the_update(
    beta, alpha, norms, moments, units
):
    """Three updates are its warm-up; `norms` are those after clipping."""
    threshold = AdaptiveThreshold(2.0, beta, alpha, "clipped", 3)
    parameters = tuple(_tensor(value) for value in threshold.parameters)
    moment = _tensor(0.0)
    for k, norm in enumerate(norms):
        number = _tensor(k + 1.0)
        unit = np.asarray(threshold.unit(number, parameters, moment))
        np.testing.assert_allclose(unit, units[k], rtol=1e-14)
        moment = threshold.moment_after(
            number, parameters, _tensor(norm), moment
        )
        np.testing.assert_allclose(np.asarray(moment), moments[k], rtol=1e-14)


def test_multiplier_of_clipped_norms_is_above_one():
    for multiplier in (1.0, 0.5):
        start = "`multiplier` must be above 1 with"
        with refused(start, f"Received: multiplier={multiplier}"):
            AdaptiveThreshold(multiplier, of="clipped")
    assert AdaptiveThreshold(1.0625, of="clipped").of == "clipped"


def test_unit_of_a_constant_is_one():
    threshold = thresholds.get(2.0)
    assert _unit(threshold, 5.0) == (1.0, None)
    assert threshold.parameters == ()


ARRAYS = [np.array([1.0, 2.0]), np.array(0.5)]
# The defaults.
ADAPTIVE = {
    "multiplier": 1.0,
    "beta": 0.99,
    "alpha": 1.0,
    "of": "raw",
    "warmup_steps": 25,
}


def _config(class_name, **config):
    return {"class_name": class_name, "config": config}


@pytest.mark.parametrize(
    ("identifier", "written"),
    [
        (None, None),
        (2, 2.0),
        (0.25, 0.25),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3.0),
        ([1, 2.5], [1.0, 2.5]),
        (ARRAYS, [[1.0, 2.0], 0.5]),
        (tuple(ARRAYS), [[1.0, 2.0], 0.5]),
        ([[1.0, 2.0], 0.5], [[1.0, 2.0], 0.5]),
        (
            PolynomialThreshold(2, 1),
            _config("PolynomialThreshold", scale=2.0, power=1.0),
        ),
        (
            PolynomialThreshold(ARRAYS, -0.5),
            _config("PolynomialThreshold", scale=[[1.0, 2.0], 0.5], power=-0.5),
        ),
        (
            AdaptiveThreshold(0.5, 0.75, 1.5),
            _config(
                "AdaptiveThreshold",
                **{**ADAPTIVE, "multiplier": 0.5, "beta": 0.75, "alpha": 1.5},
            ),
        ),
        (
            AdaptiveThreshold(2, of="clipped", warmup_steps=3),
            _config(
                "AdaptiveThreshold",
                **{
                    **ADAPTIVE,
                    **{"multiplier": 2.0, "of": "clipped", "warmup_steps": 3},
                },
            ),
        ),
    ],
    ids=str,
)
def test_threshold_is_written_for_json_and_read_again(identifier, written):
    threshold = thresholds.get(identifier)
    assert thresholds.serialize(threshold) == written
    again = thresholds.get(json.loads(json.dumps(written)))
    assert type(again) is type(threshold)
    assert thresholds.serialize(again) == written


def test_threshold_itself_and_none_come_back_as_they_are():
    for identifier in (PolynomialThreshold(), AdaptiveThreshold(), None):
        assert thresholds.get(identifier) is identifier


def test_defaults_are_the_documented_ones():
    assert PolynomialThreshold().get_config() == {"scale": 1.0, "power": 0.5}
    assert AdaptiveThreshold().get_config() == ADAPTIVE
    dictionary = {"class_name": "PolynomialThreshold"}
    assert thresholds.get(dictionary).get_config()["power"] == 0.5


@pytest.mark.parametrize("cls", [PolynomialThreshold, AdaptiveThreshold])
def test_keras_serializes_the_schedules(cls):
    name = f"keras_clip>{cls.__name__}"
    assert keras.saving.get_registered_object(name) is cls
    threshold = cls(0.5, 0.25)
    written = json.dumps(keras.saving.serialize_keras_object(threshold))
    again = keras.saving.deserialize_keras_object(json.loads(written))
    assert type(again) is cls
    assert again.get_config() == threshold.get_config()
    assert thresholds.get(json.loads(written)).get_config() == (
        threshold.get_config()
    )


IS_NO_THRESHOLD = (
    "`clip_threshold` must be a positive number, None, a threshold of "
    "`keras_clip.thresholds` or, with clipping by coordinate, a list with an "
    "array of positive numbers for each variable."
)


@pytest.mark.parametrize(
    "identifier",
    [
        0,
        -1.0,
        NAN,
        INF,
        True,
        np.True_,
        np.complex64(1),
        1j,
        "1.0",
        b"1",
        [],
        (),
        {1.0},
        {},
        _config("Threshold"),
        _config("PolynomialThreshold", beta=0.5),
        {"class_name": "PolynomialThreshold", "config": 2.0},
        {"scale": 1.0},
        [1.0, -1.0],
        [1.0, 0.0],
        [1.0, NAN],
        [[1.0, INF], 1.0],
        [[1.0, 2.0], [[1.0], [1.0, 2.0]]],
        [1.0, None],
        ["a"],
        ["1.0"],
        [True],
        [1j],
        PolynomialThreshold,
        abs,
    ],
    ids=repr,
)
def test_anything_else_is_no_threshold(identifier):
    with refused(f"{IS_NO_THRESHOLD} Received: clip_threshold={identifier!r}"):
        thresholds.get(identifier)


BAD_ARGUMENTS = {
    PolynomialThreshold: {
        "scale": ("a positive nu", 0.0, None, "1", [0.0], True),
        "power": ("a number in (-inf, inf)", NAN, "1"),
    },
    AdaptiveThreshold: {
        "multiplier": ("a number in (0, inf)", 0, [1.0]),
        "beta": ("a number in [0, 1)", 1, -0.5),
        "alpha": ("a number in [1, 2]", 0.5, 2.5),
        "of": ("one of 'raw', 'cli", "norm", None),
        "warmup_steps": ("an integer in [1, inf)", 0, 2.5),
    },
}


@pytest.mark.parametrize(
    ("cls", "argument"),
    [(cls, name) for cls, names in BAD_ARGUMENTS.items() for name in names],
)
@pytest.mark.parametrize("through", ["constructor", "dict"])
def test_bad_argument_is_named_with_what_was_received(cls, argument, through):
    wanted, *values = BAD_ARGUMENTS[cls][argument]
    for value in values:
        start = f"`{argument}` must be {wanted}"
        with refused(start, f"Received: {argument}={value!r}"):
            if through == "constructor":
                cls(**{argument: value})
            else:
                thresholds.get(_config(cls.__name__, **{argument: value}))
