"""Takes the steps of Keras 3 optimizers on TensorFlow, on all replicas."""

import tensorflow as tf

from keras_clip.front_end.front_end import FrontEnd
from keras_clip.on_tensorflow.replicas import assign_on_replicas
from keras_clip.on_tensorflow.replicas import run_on_replicas_if
from keras_clip.on_tensorflow.rows import dense_or_rows
from keras_clip.on_tensorflow.steps import Held
from keras_clip.on_tensorflow.steps import Steps
from keras_clip.on_tensorflow.steps import tensorflow_variable
from keras_clip.on_tensorflow.steps import value_of
from keras_clip.optimizers.base import NEVER_CALLED
from keras_clip.optimizers.base import BaseClippingOptimizer
from keras_clip.step.keras_clipping import clipped_on_replica


class TensorFlowClippingOptimizer(BaseClippingOptimizer):
    """Reduces gradients over replicas before it does anything else."""

    _tensorflow_steps: Steps

    # Keras' trainer on TensorFlow calls `apply_gradients` (keras 3.15.1).
    never_called = {
        **NEVER_CALLED,
        **dict.fromkeys(
            (
                "_distributed_tf_update_step",
                "_backend_increment_gradient_accumulators",
                "_backend_reset_gradient_accumulators",
                "_overwrite_model_variables_with_average_value",
            ),
            "Override `apply`.",
        ),
    }

    def build(self, variables):
        """Creates the optimizer's variables, as the base class does."""
        if not self.built:
            # In `__dict__`, so that neither Keras nor TensorFlow tracks it.
            self.__dict__["_tensorflow_steps"] = Steps()
        super().build(variables)

    # AutoGraph has nothing to convert here, but a fifth of the tracing time.
    @tf.autograph.experimental.do_not_convert
    def apply(self, grads, trainable_variables=None):
        """Updates variables by their gradients, as the base class does."""
        super().apply(grads, trainable_variables)

    def _densified(self, grads, trainable_variables):
        """Returns gradients, dense but where the step needs rows alone."""
        if (
            self.loss_scale_factor
            or self.gradient_accumulation_steps
            # A subclass clips dense gradients.
            or type(self)._clip_gradients is not FrontEnd._clip_gradients
        ):
            return super()._densified(grads, trainable_variables)
        return dense_or_rows(
            self.step_settings,
            grads,
            [tensorflow_variable(v) for v in trainable_variables],
            # Keras raises for a variable that is not known, after this.
            [
                self._trainable_variables_indices.get(self._var_key(v))
                for v in trainable_variables
            ],
        )

    def _backend_apply_gradients(self, grads, trainable_variables):
        """Reduces, accumulates, steps and averages, in that order.

        Keras runs the last three inside of one condition, with a merge call
        that fails there on strategies that merge
        (keras/src/optimizers/base_optimizer.py, 3.15.1).
        """
        if self.clip_per_replica:
            grads = clipped_on_replica(
                self.step_settings,
                grads,
                self._read_scalars(),
                self._part_of(trainable_variables),
            )
        if tf.distribute.has_strategy():
            pairs = self._all_reduce_sum_gradients(
                zip(grads, trainable_variables, strict=True)
            )
            grads = [gradient for gradient, _ in pairs]
        if self.gradient_accumulation_steps:
            self._accumulate(grads, trainable_variables)
        else:
            self._backend_update_step(
                self._clip_gradients(list(grads)),
                trainable_variables,
                self.learning_rate,
            )
        if self.use_ema:
            self._update_model_variables_moving_average(
                self._trainable_variables
            )
            if self.ema_overwrite_frequency:
                due = (self.iterations + 1) % self.ema_overwrite_frequency == 0
                self._overwrite_with_averages(due)

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        """Takes a step with gradients of the global batch."""
        self._note_monitoring()
        part = self._part_of(trainable_variables)
        self._tensorflow_steps.take(
            self.step_settings,
            self.jit_compile,
            Held(
                trainable_variables,
                self._slots_of(part),
                self._scalars,
                self._distribution_strategy,
                self.gradients_argument,
            ),
            grads,
            learning_rate,
            part,
        )

    def _accumulate(self, grads, trainable_variables):
        """Accumulates gradients, and steps by their mean when they are due."""
        count = self.gradient_accumulation_steps
        due = (self._iterations + 1) % count == 0
        accumulators = [
            self._accumulated_gradients[self._index(variable)]
            for variable in trainable_variables
        ]
        sums = [
            self._value(accumulator) + tf.cast(g, accumulator.dtype)
            for accumulator, g in zip(accumulators, grads, strict=True)
        ]
        run_on_replicas_if(
            due,
            lambda *means: self._backend_update_step(
                self._clip_gradients(list(means)),
                trainable_variables,
                self.learning_rate,
            ),
            [total / count for total in sums],
        )
        self._assign_all(
            accumulators,
            [tf.where(due, tf.zeros_like(total), total) for total in sums],
        )

    def _overwrite_with_averages(self, due):
        """Overwrites the variables with their averages if that is due."""
        pairs = [
            (variable, average)
            for variable, average in zip(
                self._trainable_variables,
                self._model_variables_moving_average,
                strict=True,
            )
            if average is not None
        ]
        self._assign_all(
            [variable for variable, _ in pairs],
            [
                tf.where(due, self._value(average), self._value(variable))
                for variable, average in pairs
            ],
        )

    def _assign_all(self, variables, values):
        assign_on_replicas(
            self._distribution_strategy,
            [tensorflow_variable(variable) for variable in variables],
            values,
        )

    def _value(self, variable):
        return value_of(variable)

    def _add_slot(self, variable, name, value):
        with self._distribution_strategy.extended.colocate_vars_with(
            tensorflow_variable(variable)
        ):
            return super()._add_slot(variable, name, value)
