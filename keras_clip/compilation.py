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
        rule: Hashable callable `(x, g, state, learning_rate, k, weight_decay)`.
        weight_decay: Python float, the decay of this variable.
        variable: The variable, for its shape and dtype.
        jit_compile: `True`, `False`, or `"auto"`: on TensorFlow compile
            variables of at least 32,768 elements, but nothing where a TPU
            compiles the whole step; on JAX compile; on torch, where there is
            no XLA, do not.

    Returns:
        Callable `(x, g, state, learning_rate, k)`.
    """
    backend = keras.backend.backend()
    if backend == "torch" or jit_compile is False:
        return functools.partial(rule, weight_decay=weight_decay)
    if backend == "jax":
        return _jax_function(rule, weight_decay)
    shape = tuple(variable.shape)
    dtype = keras.backend.standardize_dtype(variable.dtype)
    if jit_compile == "auto" and (
        math.prod(shape) < SMALLEST_COMPILED_SIZE or _runs_on_tpu()
    ):
        return functools.partial(rule, weight_decay=weight_decay)
    return _tensorflow_function(rule, weight_decay, shape, dtype)


@functools.cache
def _jax_function(rule, weight_decay):
    import jax

    return jax.jit(functools.partial(rule, weight_decay=weight_decay))


@functools.cache
def _tensorflow_function(rule, weight_decay, shape, dtype):
    """One `tf.function` a shape, so that none of them ever traces twice."""
    import tensorflow as tf

    @tf.function(jit_compile=True, autograph=False)
    def update(x, g, state, learning_rate, k):
        return rule(x, g, state, learning_rate, k, weight_decay=weight_decay)

    return update


@functools.cache
def _runs_on_tpu() -> bool:
    import tensorflow as tf

    return bool(tf.config.list_physical_devices("TPU"))
