"""Compiles a rule for one variable: once per shape, on every backend.

The rule is compiled as a pure function and its results are assigned outside:
assigning inside an XLA program makes XLA on a CPU fall back to a scalar loop
(tensorflow 2.20.0).
"""

import functools
import math
from collections.abc import Callable

import keras

# Below this many elements the plain ops of a graph are faster than the call of
# a compiled function (tensorflow 2.20.0, CPU).
SMALLEST_COMPILED_SIZE = 32768


def update_function(
    rule: Callable, weight_decay: float, variable, jit_compile: bool | str
) -> Callable:
    """Returns `rule` for one variable, compiled if that is asked or pays.

    Args:
        rule: Hashable callable `(x, g, state, learning_rate, k, clip, shared,
            weight_decay)`.
        weight_decay: Python float, the decay of this variable.
        variable: The variable, for its shape and dtype.
        jit_compile: `True`, `False`, or `"auto"`: on TensorFlow compile
            variables of at least 32,768 elements, but nothing where a TPU
            compiles the whole step; on JAX compile. Other backends have no
            XLA and run the plain rule.

    Returns:
        Callable `(x, g, state, learning_rate, k, clip, shared)`.
    """
    backend = keras.backend.backend()
    if backend == "jax" and jit_compile:
        return _jax_function(rule, weight_decay)
    if backend == "tensorflow" and jit_compile:
        shape = tuple(variable.shape)
        large = math.prod(shape) >= SMALLEST_COMPILED_SIZE
        if jit_compile is True or (large and not _runs_on_tpu()):
            dtype = keras.backend.standardize_dtype(variable.dtype)
            return _tensorflow_function(rule, weight_decay, shape, dtype)
    return functools.partial(rule, weight_decay=weight_decay)


@functools.cache
def _jax_function(rule, weight_decay):
    import jax

    return jax.jit(functools.partial(rule, weight_decay=weight_decay))


@functools.cache
def _tensorflow_function(rule, weight_decay, shape, dtype):
    """One `tf.function` a shape, so that none of them ever traces twice."""
    import tensorflow as tf

    @tf.function(jit_compile=True, autograph=False)
    def update(*values):
        return rule(*values, weight_decay=weight_decay)

    return update


def _runs_on_tpu() -> bool:
    import tensorflow as tf

    strategy = tf.distribute.get_strategy()
    return isinstance(
        strategy,
        tf.distribute.TPUStrategy | tf.distribute.experimental.TPUStrategy,
    )
