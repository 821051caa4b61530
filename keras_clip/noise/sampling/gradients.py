"""Defines the base class for gradients of models of either framework."""

import contextlib
from collections.abc import Callable
from collections.abc import Iterator

import keras
import numpy as np
from keras import ops

from keras_clip import clipping
from keras_clip.sparse_gradients import densify
from keras_clip.step.pairing import variable_path


class Gradients:
    """Computes the gradient of a model's loss as a function of a batch.

    Sampling does not change a model. Everything besides the parameters that a
    step would change (moving averages of batch normalization, seeds of dropout)
    is passed in and out as a *state*, or restored afterwards. A subclass is
    called with `parameters`, a state, a batch and a scale. It differentiates
    the loss times the scale and returns the loss, a list of gradients that are
    unscaled, dense and in `dtypes`, and the new state.

    Args:
        model: A model.
        training: Whether layers run as in training.

    Attributes:
        framework: `"keras"` or `"tf_keras"`, the framework of the model.
    """

    framework = "keras"

    def __init__(self, model, training: bool):
        self._model = model
        self._training = training

    def build(self, batch: tuple):
        """Creates the model's variables if they are not there yet.

        Args:
            batch: Tuple of inputs, targets and sample weights.

        Raises:
            ValueError: If the model's loss needs targets and there are none.
        """
        check_targets(self._model, *batch[1:2])
        if not self._model.built:
            self._model(tensors_of(batch)[0], training=False)

    @property
    def variables(self) -> list:
        """Returns the trainable variables."""
        return self._model.trainable_variables

    @property
    def shapes(self) -> list[tuple[int, ...]]:
        """Returns the shape of each trainable variable."""
        return [tuple(variable.shape) for variable in self.variables]

    @property
    def dtypes(self) -> list[str]:
        """Returns the dtype of each gradient."""
        return [clipping.working_dtype_of(v) for v in self.variables]

    @property
    def paths(self) -> list[str]:
        """Returns the path of each trainable variable."""
        return [variable_path(variable) for variable in self.variables]

    @property
    def parameters(self) -> list:
        """Returns the values of trainable variables that a call needs."""
        return []

    @property
    def state(self) -> list:
        """Returns all other values that a step may change, as tensors."""
        return []

    @property
    def loss_scale(self) -> float:
        """Returns the factor by which training multiplies the loss."""
        return 1.0

    @property
    def is_batch_dependent(self) -> bool:
        """Returns whether a layer normalizes by statistics of the batch."""
        return any(
            "BatchNormalization" in base.__name__
            for layer in self._model._flatten_layers()
            for base in type(layer).__mro__
        )

    @contextlib.contextmanager
    def unchanged(self) -> Iterator[None]:
        """Restores everything that calls have changed."""
        yield

    def compiled(self, function: Callable) -> Callable:
        """Returns a function of tensors compiled as the model's step is.

        Args:
            function: Callable of nested tensors.

        Returns:
            Callable of the same arguments.
        """
        return function

    def _dense(self, gradients, scale):
        """Returns gradients of a scaled loss, dense and in `dtypes`."""
        return [
            _dense(gradient, variable, dtype) / ops.cast(scale, dtype)
            for gradient, variable, dtype in zip(
                gradients, self.variables, self.dtypes, strict=True
            )
        ]


def tensors_of(batch: tuple) -> tuple:
    """Returns a batch with NumPy arrays converted to tensors.

    In eager mode some layers and losses reject arrays, and all reject arrays
    together with sparse tensors.

    Args:
        batch: Nested arrays and tensors.

    Returns:
        Nested tensors.
    """
    convert = ops.convert_to_tensor
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        convert = tf.convert_to_tensor  # of strings too
    return keras.tree.map_structure(
        lambda leaf: convert(leaf) if isinstance(leaf, np.ndarray) else leaf,
        batch,
    )


def check_targets(model, y=None):
    """Raises if a compiled loss would be called without targets.

    All losses of both frameworks need them (keras/src/trainers/
    compile_utils.py, 3.15.1; tf_keras/src/engine/training.py, 2.20.1). A
    custom `compute_loss` may not.

    Args:
        model: A compiled model.
        y: Nested arrays of targets, or `None`.

    Raises:
        ValueError: If there are no targets.
    """
    loss = getattr(model, "loss", None)
    if y is None and loss and not is_own(model, "compute_loss"):
        raise ValueError(
            "`y` must be given, with a data set in each of its batches: the "
            "loss that the model is compiled with needs targets. Received: "
            f"y=None, loss={loss!r}"
        )


def is_own(model, name: str) -> bool:
    """Returns whether a model overrides a method of its framework.

    Args:
        model: A model.
        name: The method's name.
    """
    owner = next(base for base in type(model).__mro__ if name in vars(base))
    return not owner.__module__.startswith(("keras.", "tf_keras."))


def check_replicas(strategy):
    """Raises if a model would run on several replicas.

    Args:
        strategy: A `tf.distribute.Strategy`.

    Raises:
        ValueError: If it has several replicas.
    """
    number = strategy.num_replicas_in_sync
    if number > 1:
        raise ValueError(
            "`model` must run on one device to be sampled: outside of the "
            "scope of a strategy, and with tf_keras be made there, with the "
            "same weights. Received: a model in a strategy with "
            f"{number} replicas"
        )


def _dense(gradient, variable, dtype):
    if gradient is None:
        return ops.zeros(variable.shape, dtype)
    if keras.backend.backend() == "tensorflow":
        gradient = densify(gradient)
    return ops.cast(gradient, dtype)
