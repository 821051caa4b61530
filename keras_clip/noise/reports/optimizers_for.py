"""Finds the optimizers whose rules clip in a given way."""

from keras_clip.registry import OPTIMIZERS


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
        if clipping in (info.keras_class.rule_class.operators or (None,))
    )


def calls_for(clipping: str | None) -> tuple[str, ...]:
    """Returns these names with the argument for this way, where needed.

    Args:
        clipping: As for `optimizers_for`.

    Returns:
        Names, or calls of classes that can also clip in another way.
    """
    return tuple(
        f'{name}(clipping="{clipping}")'
        if len(info.keras_class.rule_class.operators) > 1
        else name
        for info in OPTIMIZERS.values()
        if (name := info.class_name) in optimizers_for(clipping)
    )
