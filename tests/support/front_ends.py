"""Both front ends behind one face, so that one test can run on either.

Importing this imports neither TensorFlow nor tf_keras: programs on the JAX
backend use it too.
"""

import importlib

import keras
import numpy as np
import pytest

from keras_clip.registry import OPTIMIZERS
from tests.support.enrolment.record import Adaptive
from tests.support.enrolment.record import Halving
from tests.support.enrolment.record import Polynomial


class KerasFrontEnd:
    """The optimizers for Keras 3, on the backend that Keras runs on."""

    name = "keras"
    package = "keras_clip"

    @property
    def framework(self):
        return keras

    @property
    def callbacks(self):
        return importlib.import_module(f"{self.package}.callbacks")

    def optimizer_class(self, name):
        return OPTIMIZERS[name].keras_class

    def optimizer(self, name, /, **arguments):
        for argument, value in arguments.items():
            if isinstance(value, Halving):
                arguments[argument] = value.schedule(self.framework)
            elif isinstance(value, (Polynomial, Adaptive)):
                arguments[argument] = value.threshold()
        return self.optimizer_class(name)(**arguments)

    def scaled(self, optimizer, scale):
        """Returns an optimizer that scales the loss for the one within."""
        return keras.optimizers.LossScaleOptimizer(optimizer, scale)

    def variable(self, value, dtype="float32", name=None):
        # On torch nothing else has a gradient.
        real = not dtype.startswith("int")
        return keras.Variable(value, dtype=dtype, name=name, trainable=real)

    def variables(self, values, dtype="float32"):
        return [
            self.variable(value, dtype, name=f"x{index}")
            for index, value in enumerate(values)
        ]

    def tensor(self, value, dtype="float32"):
        return keras.ops.convert_to_tensor(value, dtype=dtype)

    def apply(self, optimizer, gradients, variables):
        """Steps by tensors or arrays; `None` stays `None`."""
        optimizer.apply(self._tensors(gradients, variables), variables)

    def native(self, variable):
        """Returns the backend's own variable, for a gradient tape."""
        return variable.value

    def value(self, variable):
        return np.array(variable.numpy())

    def values(self, variables):
        return [self.value(variable) for variable in variables]

    def state(self, optimizer, without=()):
        """Returns the optimizer's variables, but for the named attributes."""
        excluded = [getattr(optimizer, attribute) for attribute in without]
        return [
            self.value(variable)
            for variable in optimizer.variables
            if not any(variable is other for other in excluded)
        ]

    def _tensors(self, gradients, variables):
        return [
            self.tensor(g, v.dtype) if isinstance(g, np.ndarray) else g
            for g, v in zip(gradients, variables, strict=True)
        ]

    def __repr__(self):
        return self.name

    def __reduce__(self):
        # There is one of each, in every process.
        return self.name.upper()


class TfKerasFrontEnd(KerasFrontEnd):
    """The optimizers for tf_keras."""

    name = "tf_keras"
    package = "keras_clip.tf_keras"

    @property
    def framework(self):
        import tf_keras

        return tf_keras

    def optimizer_class(self, name):
        import keras_clip.tf_keras  # noqa: F401 registers the optimizers

        return OPTIMIZERS[name].tf_keras_class

    def scaled(self, optimizer, scale):
        return self.framework.mixed_precision.LossScaleOptimizer(
            optimizer, initial_scale=scale
        )

    def variable(self, value, dtype="float32", name=None):
        import tensorflow as tf

        return tf.Variable(value, dtype=dtype, name=name)

    def native(self, variable):
        return variable

    def apply(self, optimizer, gradients, variables):
        gradients = self._tensors(gradients, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))


KERAS = KerasFrontEnd()
TF_KERAS = TfKerasFrontEnd()

both_front_ends = pytest.mark.parametrize(
    "front_end", (KERAS, TF_KERAS), ids=repr
)
