"""Checks how an error reads."""

import contextlib

import pytest


@contextlib.contextmanager
def refused(start, *inside, error=ValueError, **received):
    """Expects an error that names what was received.

    Args:
        start: How its message starts.
        *inside: What is in the message.
        error: The class of the error.
        **received: Names and values that the message ends in.
    """
    with pytest.raises(error) as raised:
        yield raised
    message = str(raised.value)
    assert message.startswith(start)
    assert all(part in message for part in inside)
    end = ", ".join(f"{name}={value!r}" for name, value in received.items())
    assert message.endswith(f"Received: {end}" if received else "")
