"""Checks that something is refused, and by which words."""

import contextlib

import pytest


@contextlib.contextmanager
def refused(start, end=None):
    """Checks the message of a `ValueError`; without an end, start is all."""
    with pytest.raises(ValueError) as error:
        yield
    message = str(error.value)
    if end is None:
        assert message == start
    else:
        assert message.startswith(start) and message.endswith(end), message


@contextlib.contextmanager
def refused_naming(start, *inside, **received):
    """Checks a `ValueError` that names what was received.

    Args:
        start: How its message starts.
        *inside: What is in the message.
        **received: Names and values that the message ends in.
    """
    with pytest.raises(ValueError) as error:
        yield error
    message = str(error.value)
    assert message.startswith(start)
    assert all(part in message for part in inside)
    end = ", ".join(f"{name}={value!r}" for name, value in received.items())
    assert message.endswith(f"Received: {end}" if received else "")
