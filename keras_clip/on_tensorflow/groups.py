"""Updates the TensorFlow variables on one device by a rule, in few calls.

A large variable is updated alone, by a function that is compiled for its shape.
Small ones are updated together, as one long vector: each adds an input to two
concatenations and an output to a split, instead of a call of a compiled
function or the dozens of ops of a rule.
"""

import functools
import math
import os
from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from keras_clip.on_tensorflow.blocks import block_of
from keras_clip.on_tensorflow.compiled import function_of_handles
from keras_clip.on_tensorflow.compiled import function_of_values
from keras_clip.on_tensorflow.program import inputs_of
from keras_clip.on_tensorflow.rows import update_rows
from keras_clip.rules.rule import Rule
from keras_clip.step.move import new_values
from keras_clip.step.updates import Update
from keras_clip.step.updates import groups_of

# Below this many elements it is faster to update variables together than to
# call a compiled function for each (tensorflow 2.20.0, CPU; measured in
# scripts/benchmarks/results/cpu/sizes.md).
SMALLEST_COMPILED_SIZE = 32768


def update_variables(
    rule: Rule,
    jit_compile: bool | str,
    program_of: Callable,
    weight_decays: Sequence[float],
    updates: Sequence[Update],
    learning_rate: tf.Tensor,
    shared: tuple,
) -> None:
    """Updates variables and their slots by one step.

    Args:
        rule: The rule.
        jit_compile: `True`, `False`, or `"auto"`: compile updates of at least
            32,768 elements, but none where a TPU compiles the entire step.
        program_of: `program.program_of`, or a cached version of it.
        weight_decays: Python float for each of the updates.
        updates: Updates of the variables on one device.
        learning_rate: Scalar tensor.
        shared: Tuple of scalar tensors.
    """
    dense = []
    for update, decay in zip(updates, weight_decays, strict=True):
        if update.rows is None:
            dense.append((update, decay))
        else:
            update_rows(rule, update, learning_rate, shared)
    if not dense:
        return
    updates, weight_decays = zip(*dense, strict=True)
    tpu = _runs_on_tpu()
    sizes = [_size(update.variable) for update in updates]
    largest_walked_size = sum(sizes) // _threads()

    @functools.cache
    def program_with_constants(*arguments):
        program, constants = program_of(*arguments)
        return program, [tf.constant(value) for value in constants]

    smallest_alone = 0 if tpu else SMALLEST_COMPILED_SIZE
    for places in groups_of(updates, sizes, weight_decays, smallest_alone):
        group = [updates[place] for place in places]
        size = sum(sizes[place] for place in places)
        decay = weight_decays[places[0]]
        program = None
        compiles = jit_compile is True or (
            jit_compile and size >= SMALLEST_COMPILED_SIZE and not tpu
        )
        if compiles and not tf.config.functions_run_eagerly():
            program = program_with_constants(
                rule, decay, *_dtypes(group[0], learning_rate, shared)
            )
        if len(group) > 1:
            _move_together(rule, decay, program, group, learning_rate, shared)
            continue
        fits = size <= largest_walked_size
        _move_alone(rule, decay, program, fits, group[0], learning_rate, shared)


def _dtypes(update, learning_rate, shared):
    """Returns the dtypes and the class of clip that `program_of` needs."""
    inputs = inputs_of(
        update.gradient, learning_rate, update.number, update.clip, shared
    )
    return (
        tuple(value.dtype.name for value in (update.variable, *update.slots)),
        tuple(value.dtype.name for value in inputs),
        type(update.clip),
    )


def _move_alone(
    rule, weight_decay, program, fits, update, learning_rate, shared
):
    """Updates one variable and its slots, in place if that is faster."""
    variable, slots, gradient, clip, number, _ = update
    variables = [variable, *slots]
    given = (gradient, learning_rate, number, clip, shared)
    shape = tuple(variable.shape)
    # Outside of its strategy's scope a variable stands for all its copies, and
    # its handle is that of the first copy only.
    has_copies = isinstance(variable, tf.distribute.DistributedValues)
    if program is None:
        values = [_read(each) for each in variables]
        values = new_values(rule, weight_decay, values, *given)
    elif has_copies:
        program, constants = program
        values = [_read(each) for each in variables]
        values = function_of_values(program, shape)(
            values, inputs_of(*given), constants
        )
    else:
        program, constants = program
        walks = fits and _is_on_cpu(variable)
        values = function_of_handles(
            program,
            shape,
            tuple(each.dtype.name for each in variables),
            block_of(shape) if walks else None,
        )([each.handle for each in variables], inputs_of(*given), constants)
    for variable, value in zip(variables, values, strict=False):
        variable.assign(value, read_value=False)


def _move_together(rule, weight_decay, program, group, learning_rate, shared):
    """Updates several variables and their slots as one long vector each."""
    sizes = [_size(update.variable) for update in group]
    # A column holds the variables, or all slots with one name.
    columns = list(
        zip(
            *([update.variable, *update.slots] for update in group), strict=True
        )
    )
    values = [_as_vector(map(_read, column)) for column in columns]
    gradient = _as_vector([update.gradient for update in group])
    clip = type(group[0].clip)(
        *(
            _clip_as_vector(values, group)
            for values in zip(*(update.clip for update in group), strict=True)
        )
    )

    def moved_at(k):
        given = (gradient, learning_rate, k, clip, shared)
        if program is None:
            return new_values(rule, weight_decay, values, *given)
        compiled = function_of_values(program[0], (sum(sizes),))
        return compiled(values, inputs_of(*given), program[1])

    values = _at_numbers(moved_at, [update.number for update in group], sizes)
    for column, value in zip(columns, values, strict=True):
        for variable, piece in zip(column, tf.split(value, sizes), strict=True):
            if variable.shape.rank != 1:
                piece = tf.reshape(piece, variable.shape)
            variable.assign(piece, read_value=False)


def _at_numbers(moved_at, numbers, sizes):
    """Applies a function to the update numbers of several variables.

    The numbers are mostly equal, and one scalar for all is much faster.

    Args:
        moved_at: Callable of the number of the update, a scalar or a vector.
        numbers: List of scalar tensors, one for each variable.
        sizes: List of the sizes of the variables.
    """
    if all(number is numbers[0] for number in numbers):
        return moved_at(numbers[0])
    stacked = tf.stack(numbers)
    return tf.cond(
        tf.reduce_all(tf.equal(stacked, numbers[0])),
        lambda: moved_at(numbers[0]),
        lambda: moved_at(_for_each_element(stacked, sizes)),
    )


def _for_each_element(values, sizes):
    """Returns a vector that repeats each value by its variable's size."""
    return tf.gather(values, np.repeat(range(len(sizes)), sizes))


def _read(variable):
    """Returns the value of a variable by a single op.

    `tf.Variable.value` adds more of them. Thousands of variables may be updated
    together, and a first call takes a millisecond for every three ops
    (tensorflow 2.20.0).
    """
    return tf.raw_ops.ReadVariableOp(
        resource=variable.handle, dtype=variable.dtype
    )


def _as_vector(tensors):
    flat = tf.constant([-1])
    return tf.concat(
        [
            tensor if tensor.shape.rank == 1 else tf.reshape(tensor, flat)
            for tensor in tensors
        ],
        0,
    )


def _clip_as_vector(values, group):
    """Returns a clip's numbers for each coordinate, or one scalar for all."""
    if all(value is values[0] for value in values) and not values[0].shape.rank:
        return values[0]
    if not any(value.shape.rank for value in values):
        sizes = [_size(update.variable) for update in group]
        return _for_each_element(tf.stack(values), sizes)
    return _as_vector(
        tf.broadcast_to(value, update.variable.shape)
        for value, update in zip(values, group, strict=True)
    )


def _size(variable) -> int:
    return math.prod(variable.shape)


def _is_on_cpu(variable) -> bool:
    return tf.DeviceSpec.from_string(variable.device).device_type == "CPU"


def _threads() -> int:
    """Returns how many variables a CPU updates at once.

    A variable is updated in blocks by one thread. It must not outlast the
    others, so that a larger variable is updated by all threads instead.
    """
    return (
        tf.config.threading.get_inter_op_parallelism_threads() or os.cpu_count()
    )


def _runs_on_tpu() -> bool:
    strategy = tf.distribute.get_strategy()
    return isinstance(
        strategy,
        tf.distribute.TPUStrategy | tf.distribute.experimental.TPUStrategy,
    )
