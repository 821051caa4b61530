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
        if suffice:
            gradient = _checked(gradient, variable)
        elif gradient is not None:
            gradient = densify(gradient, variable.shape)
        result.append(gradient)
    return result


def merged(gradient: tf.IndexedSlices, dtype: str) -> Rows:
    """Returns the rows of a gradient, those with equal indices summed.

    Rows at negative indices are left out, as they are of a dense sum.

    Args:
        gradient: The gradient.
        dtype: The dtype to sum in.
    """
    indices, values = gradient.indices, gradient.values
    known = indices >= 0
    indices, values = tf.cond(
        tf.reduce_all(known),
        lambda: (indices, values),
        lambda: (
            tf.boolean_mask(indices, known),
            tf.boolean_mask(values, known),
        ),
    )
    indices, places = tf.unique(indices)
    values = tf.math.unsorted_segment_sum(
        tf.cast(values, dtype), places, tf.size(indices)
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


def _checked(gradient, variable):
    """Returns rows, checked before anything moves, in a graph by operations."""
    tf.debugging.assert_less(
        gradient.indices, tf.cast(variable.shape[0], gradient.indices.dtype)
    )
    if gradient.dense_shape is not None:
        tf.debugging.assert_equal(
            gradient.dense_shape,
            tf.constant([*variable.shape], gradient.dense_shape.dtype),
        )
    return tf.IndexedSlices(
        tf.ensure_shape(gradient.values, [None, *variable.shape[1:]]),
        gradient.indices,
        gradient.dense_shape,
    )


def _are_few_rows(gradient, variable):
    """Returns whether these are rows that are known to fit the variable."""
    if not isinstance(gradient, tf.IndexedSlices):
        return False
    values, indices = gradient.values, gradient.indices
    if not (isinstance(values, tf.Tensor) and isinstance(indices, tf.Tensor)):
        return False
    if indices.dtype not in (tf.int32, tf.int64) or indices.shape.rank != 1:
        return False
    # What does not fit, or may not, is an error once it is made dense.
    if values.shape.rank != variable.shape.rank:
        return False
    if not values.shape[1:].is_compatible_with(variable.shape[1:]):
        return False
    shape = gradient.dense_shape
    if shape is not None:
        shape = tf.get_static_value(shape)
        if shape is not None and tuple(shape) != tuple(variable.shape):
            return False
    if variable.shape.num_elements() < SMALLEST_TABLE:
        return False
    # All replicas have to decide alike, whatever the number of their rows.
    if tf.distribute.has_strategy():
        return True
    # Outside of its strategy's scope a variable stands for all its copies.
    if isinstance(variable, tf.distribute.DistributedValues):
        return False
    # With half as many as the table has rows, they still take less time than
    # the table (scripts/benchmarks/results/cpu/sizes.md).
    count = values.shape[0]
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
