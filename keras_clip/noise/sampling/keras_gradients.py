"""Computes the gradient of a Keras 3 model's loss on a batch."""

import contextlib
import inspect
from collections.abc import Callable
from collections.abc import Iterator

import keras
from keras import ops

from keras_clip.noise.sampling.gradients import Gradients
from keras_clip.noise.sampling.gradients import check_replicas
from keras_clip.noise.sampling.gradients import tensors_of


class KerasGradients(Gradients):
    """Computes gradients of a compiled Keras 3 model on any backend.

    Calls are stateless: they do not change the model.

    Args:
        model: A compiled model.
        training: Whether layers run as in training.
    """

    def build(self, batch: tuple):
        """Creates the model's variables if they are not there yet.

        Args:
            batch: Tuple of inputs, targets and sample weights.

        Raises:
            ValueError: Within the scope of a strategy with several replicas,
                or if the model's loss needs targets and there are none.
        """
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            check_replicas(tf.distribute.get_strategy())
        super().build(batch)
        # The loss of several outputs creates metrics in its first call. Inside
        # of jax.jit that would fail (jax 0.10.2).
        with self.unchanged():
            self._loss(self.parameters, self.state, batch, 1.0)

    @property
    def parameters(self) -> list:
        """Returns the values of the trainable variables."""
        return [variable.value for variable in self.variables]

    @property
    def state(self) -> list:
        """Returns other values that a step may change, and the calls so far."""
        values = [ops.copy(v.value) for v in self._others]
        return [*values, ops.zeros((), "int32")]

    @property
    def loss_scale(self) -> float:
        """Returns the factor by which the optimizer multiplies the loss."""
        optimizer = self._model.optimizer
        return 1.0 if optimizer is None else float(optimizer.scale_loss(1.0))

    @property
    def _others(self):
        model = self._model
        return [*model.non_trainable_variables, *model.metrics_variables]

    @contextlib.contextmanager
    def unchanged(self) -> Iterator[None]:
        """Restores what even a stateless call changes."""
        if keras.backend.backend() != "torch":
            yield
            return
        import torch

        with torch.random.fork_rng():
            yield

    def compiled(self, function: Callable) -> Callable:
        """Returns a function of tensors compiled as the model's step is."""
        if self._model.run_eagerly:
            return function
        backend = keras.backend.backend()
        jit_compile = self._model.jit_compile
        if backend == "jax":
            import jax

            return jax.jit(function) if jit_compile else function
        if backend == "tensorflow":
            import tensorflow as tf

            return tf.function(
                function, jit_compile=jit_compile, reduce_retracing=True
            )
        return function

    def __call__(
        self, parameters: list, state: list, batch: tuple, scale=1.0
    ) -> tuple:
        """Returns loss and gradient of a batch, and the state after it.

        Args:
            parameters: List of tensors, the values of `parameters`.
            state: List of tensors, `state` or the one that the last call
                returned.
            batch: Tuple of inputs, targets and sample weights.
            scale: Scalar, by which the loss is multiplied. Defaults to `1.0`.

        Returns:
            Tuple of a scalar tensor, a list of dense tensors in the working
            dtypes of the variables, and a list of tensors.
        """
        differentiate = {
            "jax": _differentiate_on_jax,
            "tensorflow": _differentiate_on_tensorflow,
            "torch": _differentiate_on_torch,
        }[keras.backend.backend()]
        (loss, state), gradients = differentiate(
            lambda values: self._loss(values, state, batch, scale), parameters
        )
        return loss, self._dense(gradients, scale), state

    def _loss(self, parameters, state, batch, scale):
        """Returns the scaled loss, and a tuple of the loss and new state."""
        model = self._model
        *state, calls = state
        if keras.backend.backend() == "torch":
            import torch

            # Dropout draws from torch's generator and ignores its layer's seed
            # (keras/src/backend/torch/random.py, 3.15.1).
            torch.manual_seed(int(calls))
        mapping = [
            *zip(self.variables, parameters, strict=True),
            *zip(self._others, state, strict=True),
        ]
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(
            tensors_of(batch)
        )
        with keras.StatelessScope(mapping, collect_losses=True) as scope:
            y_pred = model(x, training=self._training)
            loss = _compute_loss(
                model, x, y, y_pred, sample_weight, self._training
            )
        after = [scope.get_current_value(variable) for variable in self._others]
        scaled = loss * ops.cast(scale, loss.dtype)
        return scaled, (loss, [*after, calls + 1])


def _compute_loss(model, x, y, y_pred, sample_weight, training):
    """Returns `compute_loss(...)`, without `training` before keras 3.3."""
    arguments = {"x": x, "y": y, "y_pred": y_pred}
    arguments["sample_weight"] = sample_weight
    names = inspect.signature(model.compute_loss).parameters
    if "training" in names:
        arguments["training"] = training
    return model.compute_loss(**arguments)


def _differentiate_on_jax(function, parameters):
    import jax

    gradients, values = jax.grad(function, has_aux=True)(parameters)
    return values, gradients


def _differentiate_on_tensorflow(function, parameters):
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(parameters)
        scaled, values = function(parameters)
    return values, tape.gradient(scaled, parameters)


def _differentiate_on_torch(function, parameters):
    import torch

    leaves = [p.detach().requires_grad_() for p in parameters]
    scaled, (loss, state) = function(leaves)
    gradients = torch.autograd.grad(scaled, leaves, allow_unused=True)
    return (loss.detach(), state), gradients
