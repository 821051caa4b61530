"""Defines the errors that end a command with one line."""

import contextlib
from collections.abc import Iterator


class InputError(Exception):
    """Reports input that cannot be used; the message says what to do."""


class Divergence(Exception):
    """Reports a diverged run; the message says where and what to change."""


@contextlib.contextmanager
def installed(packages: str) -> Iterator[None]:
    """Reports a package that an import in the context lacks.

    Args:
        packages: Arguments of `pip install` in the clone.

    Raises:
        InputError: If a module is not found.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise InputError(
            f"a package is missing, {error.name}, which pip install {packages} "
            "in the clone installs"
        ) from error
