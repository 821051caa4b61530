"""Defines the errors that end a command with one line."""


class InputError(Exception):
    """Reports input that cannot be used; the message says what to do."""


class Divergence(Exception):
    """Reports a diverged run; the message says where and what to change."""
