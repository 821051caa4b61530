"""Takes an optimizer's steps on TensorFlow variables, each as one graph."""

import functools
from collections.abc import Callable
from collections.abc import Sequence
from typing import NamedTuple

import keras
import tensorflow as tf
from keras import ops

from keras_clip import clipping
from keras_clip.on_tensorflow.groups import update_variables
from keras_clip.on_tensorflow.program import program_of
from keras_clip.on_tensorflow.replicas import assign_on_replicas
from keras_clip.on_tensorflow.replicas import update_on_replicas
from keras_clip.on_tensorflow.rows import merged
from keras_clip.step.decide import Decision
from keras_clip.step.decide import decide
from keras_clip.step.move import projected
from keras_clip.step.observe import looks_at_coordinates
from keras_clip.step.observe import observe
from keras_clip.step.pairing import checked
from keras_clip.step.part import Part
from keras_clip.step.scalars import Scalars
from keras_clip.step.scalars import assign
from keras_clip.step.scalars import each
from keras_clip.step.settings import Settings
from keras_clip.step.updates import Update


class Held(NamedTuple):
    """Stores the variables that a step moves, of Keras 3 or of TensorFlow.

    Attributes:
        variables: List of the model's variables.
        slots: List of lists of the slots of each.
        scalars: `Scalars` of variables.
        strategy: The `tf.distribute.Strategy` that they belong to.
        argument: Name of the argument that their gradients come from.
    """

    variables: Sequence
    slots: Sequence[Sequence]
    scalars: Scalars
    strategy: tf.distribute.Strategy
    argument: str


class Steps:
    """Takes the steps of one optimizer, and stores their traced functions."""

    def __init__(self):
        self._traced = {}
        self._program_of = functools.cache(program_of)

    def take(
        self,
        settings: Settings,
        jit_compile: bool | str,
        held: Held,
        gradients: Sequence,
        learning_rate,
        part: Part,
    ) -> None:
        """Takes a step; in eager mode as one graph, not as thousands of ops.

        Args:
            settings: The settings.
            jit_compile: See `update_variables`.
            held: The variables that the step moves.
            gradients: List of tensors, one for each variable; of
                `tf.IndexedSlices` where `dense_or_rows` returns them.
            learning_rate: Scalar tensor or float.
            part: The part of the optimizer's variables that these are.
        """
        step = functools.partial(
            _step, settings, jit_compile, self._program_of, held, part
        )
        learning_rate = tf.convert_to_tensor(learning_rate)
        if tf.executing_eagerly() and not tf.distribute.has_strategy():
            by_rows = any(isinstance(g, tf.IndexedSlices) for g in gradients)
            if by_rows:
                # A trace for any number of rows is one for any shape too.
                checked(held.argument, gradients, held.variables)
            key = (settings, jit_compile, part, by_rows)
            if key not in self._traced:
                self._traced[key] = tf.function(
                    step, autograph=False, reduce_retracing=by_rows
                )
            step = self._traced[key]
            gradients = [
                g
                if isinstance(g, tf.IndexedSlices)
                else tf.convert_to_tensor(g)
                for g in gradients
            ]
        step(gradients, learning_rate)

    @property
    def traced(self) -> tuple[tf.types.experimental.PolymorphicFunction, ...]:
        """Returns the functions that were traced for steps in eager mode."""
        return tuple(self._traced.values())


def tensorflow_variable(variable) -> tf.Variable:
    """Returns the `tf.Variable` that a variable is or holds."""
    return variable.value if isinstance(variable, keras.Variable) else variable


def value_of(variable) -> tf.Tensor:
    """Returns the value of a variable, of this replica."""
    return tf.convert_to_tensor(tensorflow_variable(variable))


def _step(
    settings, jit_compile, program_of, held, part, gradients, learning_rate
):
    """Takes one step on variables, as `keras_clip.step.take` on values."""
    before = each(value_of, held.scalars)
    values, rows = [], []
    for gradient, variable in zip(
        checked(held.argument, gradients, held.variables),
        held.variables,
        strict=True,
    ):
        dtype, places = clipping.working_dtype_of(variable), None
        if isinstance(gradient, tf.IndexedSlices):
            gradient, places = merged(gradient, dtype)
        values.append(ops.cast(gradient, dtype))
        rows.append(places)
    decision = decide(settings, values, before, part)
    _move_variables(
        settings,
        jit_compile,
        program_of,
        held,
        decision,
        rows,
        learning_rate,
        part,
    )
    slots = []
    if looks_at_coordinates(settings, decision):
        slots = [list(map(value_of, group)) for group in held.slots]
    after = observe(settings, decision, slots, part)
    assign(held.scalars, before, after)


def _move_variables(
    settings: Settings,
    jit_compile: bool | str,
    program_of: Callable,
    held: Held,
    decision: Decision,
    rows: Sequence[tf.Tensor | None],
    learning_rate: tf.Tensor,
    part: Part,
) -> None:
    """Moves variables and slots, each on its device and replica."""
    by_device = {}
    for variable, slots, gradient, clip, number, places, position in zip(
        held.variables,
        held.slots,
        decision.gradients,
        decision.clips,
        decision.numbers,
        rows,
        part.positions,
        strict=True,
    ):
        variable = tensorflow_variable(variable)
        slots = [tensorflow_variable(slot) for slot in slots]
        decays, updates = by_device.setdefault(variable.device, ([], []))
        decays.append(settings.decay_of(position))
        updates.append(Update(variable, slots, gradient, clip, number, places))
    for decays, updates in by_device.values():
        update_on_replicas(
            held.strategy,
            functools.partial(
                update_variables, settings.rule, jit_compile, program_of, decays
            ),
            updates[0].variable,
            (updates, learning_rate, decision.shared),
        )
    if settings.rule.projection_radius:
        values = [value_of(variable) for variable in held.variables]
        values = projected(
            values, settings.rule.projection_radius, decision.taken
        )
        variables = [tensorflow_variable(v) for v in held.variables]
        assign_on_replicas(held.strategy, variables, values)
