"""Rejects subclasses that override methods which are never called."""

from collections.abc import Mapping


def check_overrides(
    cls: type, base: type, never_called: Mapping[str, str]
) -> None:
    """Raises if a class overrides a method that no step calls.

    Args:
        cls: The new class.
        base: The class whose methods it must not override.
        never_called: Names of methods, and what to do instead of overriding
            them.

    Raises:
        TypeError: If the class overrides one of them.
    """
    for name, instead in never_called.items():
        if getattr(cls, name, None) is not getattr(base, name, None):
            raise TypeError(
                f"`{name}` must not be overridden: a step moves all variables "
                f"together and never calls it. {instead} "
                f"Received: {cls.__name__}.{name}"
            )
