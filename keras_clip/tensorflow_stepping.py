"""One step on TensorFlow: one graph, and on every replica its copies."""

import functools

import keras
import tensorflow as tf

from keras_clip.replicas import update_on_replicas
from keras_clip.stepping import Stepping
from keras_clip.tensorflow_updates import Update
from keras_clip.tensorflow_updates import update_variables


class TensorFlowStepping(Stepping):
    """A mixin that runs a rule on an optimizer's TensorFlow variables."""

    def _step(self, gradients, variables, learning_rate):
        """Takes a step; in eager mode as one graph, not as thousands of ops."""
        learning_rate = tf.convert_to_tensor(learning_rate)
        if not tf.executing_eagerly() or tf.distribute.has_strategy():
            super()._step(gradients, variables, learning_rate)
            return
        # Not an attribute that Keras or TensorFlow tracks and saves.
        traced = self.__dict__.setdefault("_traced_steps", {})
        key = self._trace_key(variables)
        if key not in traced:
            # Each partial is a function of its own: of one and the same
            # TensorFlow warns that it is traced again and again.
            traced[key] = tf.function(
                functools.partial(_step_of, super()._step, variables),
                autograph=False,
            )
        gradients = [tf.convert_to_tensor(gradient) for gradient in gradients]
        traced[key](gradients, learning_rate)

    def _trace_key(self, variables):
        """Returns what a step reads of this optimizer when it is traced."""
        return (
            id(self),
            self.rule,
            self.weight_decay,
            self.clipnorm,
            self.clipvalue,
            self.global_clipnorm,
            self.clip_per_replica,
            self.jit_compile,
            self.monitor,
            tuple(self._index(variable) for variable in variables),
        )

    def _update_variables(
        self, gradients, clips, numbers, shared, variables, learning_rate
    ):
        decay = self.weight_decay or 0.0
        by_device = {}
        for variable, gradient, clip, number in zip(
            variables, gradients, clips, numbers, strict=True
        ):
            index = self._index(variable)
            variable = tensorflow_variable(variable)
            slots = [tensorflow_variable(slot) for slot in self._slots[index]]
            decays, updates = by_device.setdefault(variable.device, ([], []))
            decays.append(decay if self._decays[index] else 0.0)
            updates.append(Update(variable, slots, gradient, clip, number))
        for decays, updates in by_device.values():
            update_on_replicas(
                self._distribution_strategy,
                functools.partial(
                    update_variables, self.rule, self.jit_compile, decays
                ),
                updates[0].variable,
                (updates, learning_rate, shared),
            )


def _step_of(step, variables, gradients, learning_rate):
    step(gradients, variables, learning_rate)


def tensorflow_variable(variable) -> tf.Variable:
    """Returns the `tf.Variable` that a variable is or holds.

    Args:
        variable: `keras.Variable` or `tf.Variable`.
    """
    return variable.value if isinstance(variable, keras.Variable) else variable
