"""Computes the gradient of a Model Garden task on a batch."""

from collections.abc import Callable

import tensorflow as tf
import tf_keras
from official.core import base_task

from keras_clip.noise.sampling.tf_keras_gradients import TfKerasGradients
from keras_clip.sparse_gradients import densify


class TaskGradients(TfKerasGradients):
    """Computes the gradients that a task passes to its optimizer.

    Args:
        task: The task.
        model: Its model.
    """

    def __init__(self, task: base_task.Task, model: tf_keras.Model):
        super().__init__(model, training=True)
        self._task = task
        self._metrics = task.build_metrics(training=True)

    @property
    def loss_scale(self) -> float:
        """Returns the loss scale that a run in this precision starts with."""
        layers = self._model._flatten_layers()
        if all(layer.compute_dtype != "float16" for layer in layers):
            return 1.0
        optimizer = tf_keras.mixed_precision.LossScaleOptimizer(
            tf_keras.optimizers.SGD()
        )
        return float(optimizer.initial_scale)

    def build(self, batch: tuple):
        """Creates the model's variables if they are not there yet.

        Args:
            batch: Tuple of the inputs that the task's data sets yield, or of
                inputs and labels.
        """
        if not self._model.built:
            self._task.inference_step(batch[0], self._model)

    def compiled(self, function: Callable) -> Callable:
        """Returns a function of tensors as one graph."""
        return tf.function(function, reduce_retracing=True)

    def __call__(
        self, parameters: list, state: list, batch: tuple, scale=1.0
    ) -> tuple:
        """Returns loss and gradient of a batch, and the state.

        The batch is a tuple of the inputs that the task's data sets yield, or
        of inputs and labels.
        """
        inputs = batch if len(batch) > 1 else batch[0]
        receiver = _Receiver(scale)
        logs = self._task.train_step(
            inputs, self._model, receiver, self._metrics
        )
        received = {v.ref(): g for g, v in receiver.received}
        gradients = [received.get(v.ref()) for v in self.variables]
        return logs[self._task.loss], self._dense(gradients, 1.0), state


class _Receiver(tf_keras.mixed_precision.LossScaleOptimizer):
    """Stores gradients in place of applying them.

    A task scales the loss only if its optimizer is of this class
    (official/core/base_task.py, 2.20.0).
    """

    def __init__(self, scale):
        self._scale = scale

    def get_scaled_loss(self, loss):
        return loss * tf.cast(self._scale, loss.dtype)

    def get_unscaled_gradients(self, grads):
        return [None if g is None else self._unscaled(g) for g in grads]

    def _unscaled(self, gradient):
        gradient = densify(gradient)
        return gradient / tf.cast(self._scale, gradient.dtype)

    def apply_gradients(self, grads_and_vars):
        self.received = list(grads_and_vars)
