"""Which optimizers clip in a given way, as their rules say."""

import dataclasses
import functools

from keras_clip import rules
from keras_clip.registry import OPTIMIZERS


@functools.cache
def optimizers_for(clipping: str | None) -> tuple[str, ...]:
    """Returns the names of the classes that clip in a given way.

    Args:
        clipping: `"global"`, `"layer"`, `"coordinate"`, or `None` for those
            that have no threshold.

    Returns:
        Names, in the order of the registry.
    """
    return tuple(
        info.class_name
        for info in OPTIMIZERS.values()
        if _clips(info.class_name, clipping)
    )


def calls_for(clipping: str) -> tuple[str, ...]:
    """Returns these names with the argument that makes them clip like that.

    Args:
        clipping: As for `optimizers_for`.

    Returns:
        Names, or calls of those that can clip in another way too.
    """
    return tuple(
        f'{name}(clipping="{clipping}")' if _chooses(name) else name
        for name in optimizers_for(clipping)
    )


def _clips(name, clipping):
    rule = _rule_of(name)
    if not _chooses(name):
        return rule.clipping == clipping
    try:
        rule(clipping=clipping)
    except ValueError:
        return False
    return True


def _chooses(name):
    """Returns whether an optimizer can be told how to clip."""
    fields = dataclasses.fields(_rule_of(name))
    return any(field.name == "clipping" for field in fields)


def _rule_of(name):
    return getattr(rules, f"{name}Rule")
