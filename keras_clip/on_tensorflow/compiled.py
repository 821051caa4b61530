"""Compiles programs by XLA, once for each shape of variables.

A program is compiled for one shape and called for every variable of that
shape, of any optimizer. On a CPU it walks through the variable by blocks. Where
it does not, what is written in place is assigned inside the compiled function,
the rest outside of it.
"""

import functools
from collections.abc import Callable

import tensorflow as tf

from keras_clip.on_tensorflow.blocks import walk
from keras_clip.on_tensorflow.program import Program


@functools.cache
def function_of_values(program: Program, shape: tuple) -> Callable:
    """Returns a program as TensorFlow compiles it for one shape.

    One `tf.function` a shape, so that none of them traces again but for a
    vector of numbers of updates instead of one.

    Args:
        program: The program.
        shape: Shape of the values.

    Returns:
        `tf.function` of values, what `inputs_of` returns, and the program's
        constants.
    """

    @tf.function(jit_compile=True, autograph=False)
    def update(values, inputs, constants):
        return program(values, [*inputs, *constants])

    return update


@functools.cache
def function_of_handles(
    program: Program, shape: tuple, dtypes: tuple, block: tuple | None
) -> Callable:
    """Returns an update of a variable of one shape, compiled by TensorFlow.

    XLA writes over a variable that is assigned inside, and on a CPU it does so
    in a loop that is not vectorized (tensorflow 2.20.0): faster than a new
    buffer for sums and products, slower for divisions, roots and bounds.

    Args:
        program: The program.
        shape: Shape of the variable.
        dtypes: Dtypes of the variable and of its slots.
        block: Shape of the blocks to walk by, or `None`. By blocks all is
            written in place.

    Returns:
        `tf.function` like that of `function_of_values`, but of the handles of
        the variables instead of their values. It returns the values that are
        left to assign, of the first variables.
    """
    written = "all" if block else program.written_in_place
    first = {"all": 0, "state": 1, "nothing": len(dtypes)}[written]

    @tf.function(jit_compile=True, autograph=False)
    def update(handles, inputs, constants):
        inputs = [*inputs, *constants]
        values = [
            tf.raw_ops.ReadVariableOp(resource=handle, dtype=dtype)
            for handle, dtype in zip(handles, dtypes, strict=True)
        ]
        if block:
            values = walk(program, block, values, inputs)
        else:
            values = program(values, inputs)
        for handle, value in zip(handles[first:], values[first:], strict=True):
            tf.raw_ops.AssignVariableOp(resource=handle, value=value)
        return values[:first]

    return update
