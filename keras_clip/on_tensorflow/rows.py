"""Updates rows of a variable where a step leaves all others as they are.

An embedding's gradient has the rows that a batch looked up, and the table may
have thousands of times as many. Whether a step moves the others too is said by
the settings: `Settings.rests_at_zero`.
"""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf
from tensorflow.python.ops import control_flow_util

from keras_clip.rules.rule import Rule
from keras_clip.sparse_gradients import densify
from keras_clip.step.move import new_values
from keras_clip.step.settings import Settings
from keras_clip.step.updates import Update

# Number of elements. A smaller table is updated together with other variables.
SMALLEST_TABLE = 32768


class Rows(NamedTuple):
    """Stores a gradient that is zero in all rows but some.

    Attributes:
        values: The rows, in the working dtype, each of them once.
        indices: Vector of their places.
    """

    values: tf.Tensor
    indices: tf.Tensor


def dense_or_rows(
    settings: Settings,
    gradients: Sequence,
    variables: Sequence[tf.Variable],
    positions: Sequence[int],
) -> list:
    """Returns gradients, dense but where their rows are all that a step needs.

    Args:
        settings: The settings.
        gradients: List of tensors, `tf.IndexedSlices` and `None`.
        variables: The variables that they are of.
        positions: Their positions among the optimizer's variables, `None` for
            those that are none of them.
    """
    possible = not settings.clip_per_replica and _rows_are_possible()
    result = []
    for gradient, variable, position in zip(
        gradients, variables, positions, strict=True
    ):
        suffice = (
            possible
            and position is not None
            and settings.rests_at_zero(position)
            and _are_few_rows(gradient, variable)
        )
        if gradient is not None and not suffice:
            gradient = densify(gradient, variable.shape)
        result.append(gradient)
    return result


def merged(gradient: tf.IndexedSlices, dtype: str) -> Rows:
    """Returns the rows of a gradient, those with equal indices summed.

    Args:
        gradient: The gradient.
        dtype: The dtype to sum in.
    """
    indices, places = tf.unique(gradient.indices)
    values = tf.math.unsorted_segment_sum(
        tf.cast(gradient.values, dtype), places, tf.size(indices)
    )
    return Rows(values, indices)


def update_rows(
    rule: Rule, update: Update, learning_rate: tf.Tensor, shared: tuple
) -> None:
    """Updates rows of a variable and of its slots by one step.

    Args:
        rule: The rule.
        update: The update, with `rows`.
        learning_rate: Scalar tensor.
        shared: Tuple of scalar tensors.
    """
    variables = [update.variable, *update.slots]
    values = new_values(
        rule,
        0.0,
        [tf.gather(variable, update.rows) for variable in variables],
        update.gradient,
        learning_rate,
        update.number,
        update.clip,
        shared,
    )
    for variable, value in zip(variables, values, strict=True):
        tf.raw_ops.ResourceScatterUpdate(
            resource=variable.handle, indices=update.rows, updates=value
        )


def _are_few_rows(gradient, variable):
    if not isinstance(gradient, tf.IndexedSlices):
        return False
    if variable.shape.num_elements() < SMALLEST_TABLE:
        return False
    # Outside of its strategy's scope a variable stands for all its copies.
    if not tf.distribute.has_strategy() and isinstance(
        variable, tf.distribute.DistributedValues
    ):
        return False
    # With half as many as the table has rows, they still take less time than
    # the table (scripts/benchmarks/results/cpu/sizes.md).
    count = gradient.values.shape[0]
    return count is None or count <= variable.shape[0]


def _rows_are_possible():
    """Returns whether rows can be merged, and updated on all replicas.

    XLA does not compile `tf.unique`: it has to know the shape of its results.
    """
    if not tf.executing_eagerly():
        graph = tf.compat.v1.get_default_graph()
        if control_flow_util.GraphOrParentsInXlaContext(graph):
            return False
    return not tf.distribute.has_strategy() or isinstance(
        tf.distribute.get_strategy(),
        tf.distribute.MirroredStrategy | tf.distribute.OneDeviceStrategy,
    )
