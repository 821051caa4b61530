"""The checks of arguments accept what they say and no more."""

import pathlib

import numpy as np
import pytest

from keras_clip.validation import check_choice
from keras_clip.validation import check_exclusions
from keras_clip.validation import check_names
from keras_clip.validation import check_number
from keras_clip.validation import check_path

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("value", [0, 1, 0.5, np.float32(0.5), np.int64(1)])
def test_number_in_the_interval_comes_back_as_a_float(value):
    checked = check_number("rate", value, 0, 1)
    assert type(checked) is float
    assert checked == value


@pytest.mark.parametrize(
    "value",
    [-0.1, 1.1, NAN, INF, -INF, 10**400, "0.5", None, True, [0.5], 0.5j],
    ids=repr,
)
def test_anything_else_is_no_number_in_the_interval(value):
    with pytest.raises(ValueError) as error:
        check_number("rate", value, 0, 1)
    assert str(error.value) == (
        f"`rate` must be a number in [0, 1]. Received: rate={value!r}"
    )


@pytest.mark.parametrize(
    ("ends", "value", "interval"),
    [
        ({"low": 0, "high": 1, "open_high": True}, 1, "[0, 1)"),
        ({"low": 0, "high": 1, "open_low": True}, 0, "(0, 1]"),
        ({"low": 0, "open_low": True}, 0, "(0, inf)"),
        ({"low": 0}, -1, "[0, inf)"),
        ({"high": 2.5}, 3, "(-inf, 2.5]"),
        ({}, INF, "(-inf, inf)"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_message_shows_which_ends_are_open(ends, value, interval):
    with pytest.raises(ValueError) as error:
        check_number("rate", value, **ends)
    assert f"a number in {interval}. " in str(error.value)


@pytest.mark.parametrize(
    ("ends", "value"),
    [
        ({"low": 0, "high": 1}, 0),
        ({"low": 0, "high": 1}, 1),
        ({"low": 0, "high": 1, "open_high": True}, 0),
        ({"low": 0, "high": 1, "open_low": True}, 1),
        ({}, -1e300),
    ],
)
def test_closed_ends_belong_to_the_interval(ends, value):
    assert check_number("rate", value, **ends) == value


@pytest.mark.parametrize("value", ["auto", True, False])
def test_choice_comes_back_as_it_is(value):
    assert check_choice("jit", value, ("auto", True, False)) is value


@pytest.mark.parametrize("value", ["Auto", 1, 0, None, 1.0, np.True_], ids=repr)
def test_equal_value_of_another_type_is_no_choice(value):
    with pytest.raises(ValueError) as error:
        check_choice("jit", value, ("auto", True, False))
    assert str(error.value) == (
        f"`jit` must be one of 'auto', True, False. Received: jit={value!r}"
    )


@pytest.mark.parametrize(
    ("value", "names"),
    [(None, ()), ([], ()), (["a", "^b"], ("a", "^b")), (("a",), ("a",))],
)
def test_names_come_back_as_a_tuple(value, names):
    assert check_names("names", value) == names


@pytest.mark.parametrize(
    "value", ["bias", ["bias", 1], ["("], {"bias"}, 3], ids=repr
)
def test_anything_else_is_no_list_of_names(value):
    with pytest.raises(ValueError) as error:
        check_names("names", value)
    assert str(error.value) == (
        "`names` must be a list of regular expressions. "
        f"Received: names={value!r}"
    )


@pytest.mark.parametrize("value", [["a", 0, 3], ("b",), [2]], ids=repr)
def test_exclusions_are_names_and_positions(value):
    assert check_exclusions("excluded", value) == tuple(value)


@pytest.mark.parametrize(
    "value", ["bias", ["("], [-1], [True], [1.5], [None], 3], ids=repr
)
def test_anything_else_is_no_list_of_exclusions(value):
    with pytest.raises(ValueError) as error:
        check_exclusions("excluded", value)
    assert str(error.value) == (
        "`excluded` must be a list of regular expressions or positions. "
        f"Received: excluded={value!r}"
    )


@pytest.mark.parametrize("value", ["a/b", pathlib.Path("a"), None], ids=repr)
def test_paths_come_back_as_they_are(value):
    assert check_path("path", value) is value


@pytest.mark.parametrize("value", ["", 3, True, b"a", ["a"]], ids=repr)
def test_anything_else_is_no_path(value):
    with pytest.raises(ValueError) as error:
        check_path("path", value)
    assert str(error.value) == (
        f"`path` must be a path or None. Received: path={value!r}"
    )
