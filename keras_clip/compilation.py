"""Compiles a rule: on TensorFlow once per shape, on JAX as JAX does.

On TensorFlow a rule is XLA-compiled for one shape and called for every variable
of that shape. On a CPU it walks through the variable by blocks. Where it does
not, what the rule writes in place is assigned inside the compiled function, the
rest outside of it; see `Rule.in_place`.
"""

import functools
from collections.abc import Callable

from keras_clip.blocks import walk
from keras_clip.clipping import working_dtype_of


@functools.cache
def jax_function(rule: Callable, weight_decay: float) -> Callable:
    """Returns `rule` as JAX compiles it, for values of any shape.

    Args:
        rule: Hashable callable `(x, g, state, learning_rate, k, clip, shared,
            weight_decay)`.
        weight_decay: Python float.

    Returns:
        Callable `(x, g, state, learning_rate, k, clip, shared)`.
    """
    import jax

    return jax.jit(functools.partial(rule, weight_decay=weight_decay))


def new_values(
    rule: Callable,
    weight_decay: float,
    values,
    g,
    learning_rate,
    k,
    clip,
    shared,
) -> list:
    """Returns the values of a variable and its slots after one step.

    Args:
        rule: See `jax_function`.
        weight_decay: Python float.
        values: Sequence of tensors, the variable's value and its slots'.
        g: Tensor like the variable, in its working dtype.
        learning_rate: Scalar tensor.
        k: Tensor that broadcasts to the variable, the number of its update.
        clip: Tuple of tensors that broadcast to the variable.
        shared: Tuple of scalar tensors.

    Returns:
        List of tensors of the shapes and dtypes of `values`.
    """
    import tensorflow as tf

    x, *state = values
    dtype = working_dtype_of(x)
    learning_rate, k, clip, shared = tf.nest.map_structure(
        lambda value: tf.cast(value, dtype), (learning_rate, k, clip, shared)
    )
    moved, state = rule(
        tf.cast(x, dtype),
        g,
        tuple(state),
        learning_rate,
        k,
        clip,
        shared,
        weight_decay=weight_decay,
    )
    return [tf.cast(moved, x.dtype), *state]


@functools.cache
def function_of_values(
    rule: Callable, weight_decay: float, shape: tuple, dtype: str
) -> Callable:
    """Returns `new_values` of one shape and dtype, compiled by TensorFlow.

    One `tf.function` a shape, so that none of them traces again but for a
    vector of numbers of updates instead of one.

    Args:
        rule: See `jax_function`.
        weight_decay: Python float.
        shape: Shape of the values.
        dtype: Dtype of the variable.

    Returns:
        `tf.function` of the other arguments of `new_values`.
    """
    import tensorflow as tf

    return tf.function(
        functools.partial(new_values, rule, weight_decay),
        jit_compile=True,
        autograph=False,
    )


@functools.cache
def function_of_handles(
    rule: Callable,
    weight_decay: float,
    shape: tuple,
    dtypes: tuple,
    block: tuple | None,
) -> Callable:
    """Returns an update of a variable of one shape, compiled by TensorFlow.

    XLA writes over a variable that is assigned inside, and on a CPU it does so
    in a loop that is not vectorized (tensorflow 2.20.0): faster than a new
    buffer for sums and products, slower for divisions, roots and bounds.

    Args:
        rule: See `jax_function`.
        weight_decay: Python float.
        shape: Shape of the variable.
        dtypes: Dtypes of the variable and of its slots.
        block: Shape of the blocks to walk by, or `None`.

    Returns:
        `tf.function` like that of `function_of_values`, but of the handles of
        the variables instead of their values. It returns the values that are
        left to assign, of the first variables.
    """
    import tensorflow as tf

    in_place = "all" if block else rule.in_place
    first = {"all": 0, "state": 1, "nothing": len(dtypes)}[in_place]

    @tf.function(jit_compile=True, autograph=False)
    def update(handles, g, learning_rate, k, clip, shared):
        def moved(values, inputs):
            g, *clip = inputs
            return new_values(
                rule,
                weight_decay,
                values,
                g,
                learning_rate,
                k,
                tuple(clip),
                shared,
            )

        values = [
            tf.raw_ops.ReadVariableOp(resource=handle, dtype=dtype)
            for handle, dtype in zip(handles, dtypes, strict=True)
        ]
        inputs = [g, *clip]
        if block:
            values = walk(moved, block, values, inputs)
        else:
            values = moved(values, inputs)
        for handle, value in zip(handles[first:], values[first:], strict=True):
            tf.raw_ops.AssignVariableOp(resource=handle, value=value)
        return values[:first]

    return update
