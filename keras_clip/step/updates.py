"""Describes the updates of a step, and groups those that are done at once."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from keras_clip.clipping import Tensor
from keras_clip.rules.clips import Clip


class Update(NamedTuple):
    """Stores everything that the update of one variable in place needs.

    Attributes:
        variable: What is updated: a `tf.Variable`, or a tensor of torch.
        slots: List of the same for its slots, of its shape.
        gradient: Tensor of its shape or of `rows`, in the working dtype.
        clip: The clip of the gradient.
        number: Scalar tensor, the number of this update of the variable.
        rows: Places of the rows that the gradient has, or `None` if it has the
            variable's shape. Only rows are updated then.
    """

    variable: Tensor
    slots: Sequence[Tensor]
    gradient: Tensor
    clip: Clip
    number: Tensor
    rows: Tensor | None = None


def groups_of(
    updates: Sequence[Update],
    sizes: Sequence[int],
    weight_decays: Sequence[float],
    smallest_alone: int,
    largest_group: float = math.inf,
) -> list[list[int]]:
    """Returns the places of updates, in groups.

    Small variables are updated together, as one long vector, if they have the
    same device, dtype and weight decay.

    Args:
        updates: The updates.
        sizes: Number of elements of each of their variables.
        weight_decays: Python float for each of them.
        smallest_alone: Number of elements from which on a variable is updated
            alone.
        largest_group: Number of elements that a group of several variables
            does not exceed. Defaults to infinity.

    Returns:
        List of lists of positions in `updates`, each position once.
    """
    groups, open_groups = [], {}
    for place, (update, size, decay) in enumerate(
        zip(updates, sizes, weight_decays, strict=True)
    ):
        if size >= smallest_alone:
            groups.append([place])
            continue
        variable = update.variable
        key = (variable.device, variable.dtype, decay)
        group, total = open_groups.get(key, (None, 0))
        if group is None or total + size > largest_group:
            group, total = [], 0
            groups.append(group)
        group.append(place)
        open_groups[key] = (group, total + size)
    return groups
