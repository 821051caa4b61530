"""The errors that end a command in one line."""


class InputError(Exception):
    """Something that was given cannot be used; the message says what to do."""


class Divergence(Exception):
    """A run has left all bounds; the message says where and what to change."""
