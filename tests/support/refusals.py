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
