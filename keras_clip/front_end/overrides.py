"""Refuses subclasses whose own methods would never be called."""

from collections.abc import Mapping


def check_overrides(
    cls: type, base: type, never_called: Mapping[str, str]
) -> None:
    """Raises if a class overrides what no step of its optimizer calls.

    Args:
        cls: The class that is being made.
        base: The class whose methods are not overridden.
        never_called: Names of methods, and what to do instead of overriding
            them.

    Raises:
        TypeError: If there is such a method.
    """
    for name, instead in never_called.items():
        if getattr(cls, name, None) is not getattr(base, name, None):
            raise TypeError(
                f"`{name}` must not be overridden: a step moves all variables "
                f"together and never calls it. {instead} "
                f"Received: {cls.__name__}.{name}"
            )
