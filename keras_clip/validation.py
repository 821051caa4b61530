"""Checks constructor arguments early, with errors that are all worded alike."""

import dataclasses
import functools
import math
import numbers
import os
import re
from collections.abc import Sequence


def within(default: float | None, interval: str, optional: bool = False):
    """Returns a dataclass field for a number that `check_fields` checks.

    Args:
        default: The field's default.
        interval: The interval of valid numbers, as `"[0, 1)"` or `"(0, inf)"`.
        optional: Whether it may be `None` too. Defaults to `False`.
    """
    low, high = (float(end) for end in interval[1:-1].split(","))
    check = functools.partial(
        check_number,
        low=low,
        high=high,
        open_low=interval[0] == "(",
        open_high=interval[-1] == ")",
    )
    return _checked_field(default, check, optional)


def integer_from(low: int, default: int | None, optional: bool = False):
    """Returns a dataclass field for an integer that `check_fields` checks.

    Args:
        low: The smallest allowed value.
        default: The field's default.
        optional: Whether it may be `None`. Defaults to `False`.
    """
    check = functools.partial(check_integer, low=low)
    return _checked_field(default, check, optional)


def one_of(default: object, choices: Sequence[object]):
    """Returns a dataclass field for a choice that `check_fields` checks.

    Args:
        default: The field's default.
        choices: The allowed values.
    """
    check = functools.partial(check_choice, choices=choices)
    return _checked_field(default, check)


def check_fields(instance: object) -> None:
    """Checks each field of a dataclass by the check declared with it.

    Args:
        instance: A dataclass, frozen or not. Numbers become floats.

    Raises:
        ValueError: If a field is out of its range.
    """
    for field in dataclasses.fields(instance):
        check = field.metadata.get("check")
        if check is not None:
            value = check(field.name, getattr(instance, field.name))
            object.__setattr__(instance, field.name, value)


def check_number(
    name: str,
    value: float,
    low: float = -math.inf,
    high: float = math.inf,
    *,
    open_low: bool = False,
    open_high: bool = False,
) -> float:
    """Returns `value` as a float after checking that it lies in an interval.

    Args:
        name: Name of the argument, for the error.
        value: The argument.
        low: Lower end of the interval, itself allowed unless `open_low`.
        high: Upper end of the interval, itself allowed unless `open_high`.
        open_low: Whether `low` itself is forbidden.
        open_high: Whether `high` itself is forbidden.

    Returns:
        The value as a Python float.

    Raises:
        ValueError: If `value` is not a finite number in the interval.
    """
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if number and _is_finite(value):
        above = value > low if open_low else value >= low
        below = value < high if open_high else value <= high
        if above and below:
            return float(value)
    left = "(" if open_low or low == -math.inf else "["
    right = ")" if open_high or high == math.inf else "]"
    raise ValueError(
        f"`{name}` must be a number in {left}{low:g}, {high:g}{right}. "
        f"Received: {name}={value!r}"
    )


def check_integer(name: str, value: int, low: int) -> int:
    """Returns `value` after checking that it is an integer of at least `low`.

    Args:
        name: Name of the argument, for the error.
        value: The argument.
        low: The smallest allowed value.

    Returns:
        The value as a Python integer.

    Raises:
        ValueError: If `value` is not an integer or is too small.
    """
    integer = isinstance(value, numbers.Integral)
    if integer and not isinstance(value, bool) and value >= low:
        return int(value)
    raise ValueError(
        f"`{name}` must be an integer in [{low}, inf). "
        f"Received: {name}={value!r}"
    )


def check_choice(name: str, value: object, choices: Sequence[object]) -> object:
    """Returns `value` after checking that it is one of `choices`.

    Args:
        name: Name of the argument, for the error.
        value: The argument.
        choices: The allowed values.

    Returns:
        The value.

    Raises:
        ValueError: If `value` is not one of `choices`.
    """
    # `1 == True` in Python: compare the types too.
    for choice in choices:
        if type(value) is type(choice) and value == choice:
            return value
    allowed = ", ".join(repr(choice) for choice in choices)
    raise ValueError(
        f"`{name}` must be one of {allowed}. Received: {name}={value!r}"
    )


def check_path(
    name: str, value: str | os.PathLike | None
) -> str | os.PathLike | None:
    """Returns `value` after checking that it can be a path.

    Args:
        name: Name of the argument, for the error.
        value: A path, or `None`.

    Returns:
        The value.

    Raises:
        ValueError: If `value` is neither.
    """
    if value is None or (isinstance(value, str | os.PathLike) and str(value)):
        return value
    raise ValueError(
        f"`{name}` must be a path or None. Received: {name}={value!r}"
    )


def check_names(name: str, value: Sequence[str] | None) -> tuple[str, ...]:
    """Returns `value` as a tuple after checking its regular expressions.

    Args:
        name: Name of the argument, for the error.
        value: A list or tuple of regular expressions, or `None` for an empty
            one.

    Returns:
        A tuple of strings.

    Raises:
        ValueError: If `value` is a single string or holds anything else.
    """
    return _check_items(name, value, _is_pattern, "regular expressions")


def check_exclusions(
    name: str, value: Sequence[str | int] | None
) -> tuple[str | int, ...]:
    """Returns `value` as a tuple of regular expressions and positions from 0.

    Args:
        name: Name of the argument, for the error.
        value: A list or tuple of regular expressions and integers, or `None`
            for an empty one.

    Returns:
        A tuple of strings and integers.

    Raises:
        ValueError: If `value` is a single string or holds anything else.
    """
    return _check_items(
        name,
        value,
        lambda item: _is_pattern(item) or (type(item) is int and item >= 0),
        "regular expressions or positions",
    )


def _checked_field(default, check, optional=False):
    def checked(name, value):
        return None if optional and value is None else check(name, value)

    return dataclasses.field(default=default, metadata={"check": checked})


def _is_finite(number):
    try:
        return math.isfinite(number)
    # An integer that no float can hold.
    except OverflowError:
        return False


def _is_pattern(item):
    try:
        return isinstance(item, str) and bool(re.compile(item))
    except re.error:
        return False


def _check_items(name, value, is_allowed, wanted):
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(map(is_allowed, value)):
        raise ValueError(
            f"`{name}` must be a list of {wanted}. Received: {name}={value!r}"
        )
    return tuple(value)
