"""Compiles programs by XLA, once for each shape of variables.

A program is compiled for one shape and called for every variable of that
shape, of any optimizer. On a CPU it updates the variable in blocks. Otherwise
values that are written in place are assigned inside the compiled function, and
the others outside of it.
"""

import functools
from collections.abc import Callable

import tensorflow as tf

from keras_clip.on_tensorflow.blocks import walk
from keras_clip.on_tensorflow.program import Program


@functools.cache
def function_of_values(program: Program, shape: tuple) -> Callable:
    """Returns a program as a `tf.function` that is compiled for one shape.

    Each shape has a function, which is then traced again only if a vector of
    update numbers takes the place of a scalar.

    Returns:
        `tf.function` of values, the inputs that `inputs_of` returns, and the
        program's constants.
    """

    @tf.function(jit_compile=True, autograph=False)
    def update(values, inputs, constants):
        return program(values, [*inputs, *constants])

    return update


@functools.cache
def function_of_handles(
    program: Program, shape: tuple, dtypes: tuple, block: tuple | None
) -> Callable:
    """Returns a compiled update of variables of one shape.

    XLA overwrites a variable that is assigned inside the function. On a CPU its
    loop is then not vectorized (tensorflow 2.20.0), which is faster than a new
    buffer for sums and products, slower for divisions, roots and bounds.

    Args:
        program: The program.
        shape: Shape of the variable.
        dtypes: Dtypes of the variable and of its slots.
        block: Shape of the blocks, or `None`. In blocks all values are written
            in place.

    Returns:
        `tf.function` like that of `function_of_values`, but of the handles of
        the variables instead of their values. It returns the values that the
        caller has to assign, those of the first variables.
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
