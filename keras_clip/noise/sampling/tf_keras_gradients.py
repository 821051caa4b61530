"""Computes the gradient of a tf_keras model's loss on a batch."""

import contextlib
from collections.abc import Callable
from collections.abc import Iterator

import keras

from keras_clip.noise.sampling.gradients import Gradients
from keras_clip.noise.sampling.gradients import check_replicas
from keras_clip.noise.sampling.gradients import tensors_of


class TfKerasGradients(Gradients):
    """Computes gradients of a compiled tf_keras model.

    Calls read and change the variables, which `unchanged` restores.

    Args:
        model: A compiled model.
        training: Whether layers run as in training.
    """

    framework = "tf_keras"

    def build(self, batch: tuple):
        """Creates the model's variables if they are not there yet.

        Args:
            batch: Tuple of inputs, targets and sample weights.

        Raises:
            ValueError: If the model has several replicas, or its loss needs
                targets and there are none.
        """
        check_replicas(self._model.distribute_strategy)
        super().build(batch)

    @property
    def loss_scale(self) -> float:
        """Returns the factor by which the optimizer multiplies the loss."""
        from tf_keras.mixed_precision import LossScaleOptimizer

        optimizer = self._model.optimizer
        if not isinstance(optimizer, LossScaleOptimizer):
            return 1.0
        return float(optimizer.loss_scale)

    @contextlib.contextmanager
    def unchanged(self) -> Iterator[None]:
        """Restores what running the model has changed."""
        metrics = [v for m in self._model.metrics for v in m.variables]
        variables = [*self._model.variables, *metrics, *_seeds(self._model)]
        before = [variable.numpy() for variable in variables]
        try:
            yield
        finally:
            for variable, value in zip(variables, before, strict=True):
                variable.assign(value)

    def compiled(self, function: Callable) -> Callable:
        """Returns a function of tensors compiled as the model's step is."""
        import tensorflow as tf

        if self._model.run_eagerly:
            return function
        return tf.function(
            function, jit_compile=self._model.jit_compile, reduce_retracing=True
        )

    def __call__(
        self, parameters: list, state: list, batch: tuple, scale=1.0
    ) -> tuple:
        """Returns loss and gradient of a batch, and the state.

        `parameters` and `state` are empty: the model reads its variables.
        """
        import tensorflow as tf

        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(
            tensors_of(batch)
        )
        with tf.GradientTape() as tape:
            y_pred = self._model(x, training=self._training)
            loss = self._model.compute_loss(x, y, y_pred, sample_weight)
            scaled = loss * tf.cast(scale, loss.dtype)
        gradients = tape.gradient(scaled, self.variables)
        return loss, self._dense(gradients, scale), state


def _seeds(model):
    """Returns the variables of the random generators of a tf_keras model."""
    generators = [
        getattr(layer, "_random_generator", None)
        for layer in model._flatten_layers()
    ]
    states = [getattr(g, "_generator", None) for g in generators]
    return [generator.state for generator in states if generator is not None]
