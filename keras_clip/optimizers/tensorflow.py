"""The TensorFlow side of the Keras 3 optimizers: replicas and sparse rows."""

import keras
import tensorflow as tf

from keras_clip import clipping
from keras_clip.optimizers.base import BaseClippingOptimizer


class TensorFlowClippingOptimizer(BaseClippingOptimizer):
    """Reduces gradients over replicas first and does everything else after."""

    def apply(self, grads, trainable_variables=None):
        """Updates variables by their gradients, sparse ones made dense first.

        Keras divides by the loss scale and adds up micro-batches before
        anything else, and `tf.IndexedSlices` have neither operation.
        """
        dense = [g if g is None else clipping.densify(g) for g in grads]
        super().apply(dense, trainable_variables)

    def _aggregate(self, grads, trainable_variables):
        pairs = self._all_reduce_sum_gradients(
            zip(grads, trainable_variables, strict=True)
        )
        return [gradient for gradient, _ in pairs]

    def _update_variables(self, grads, trainable_variables, learning_rate):
        variables = [_tensorflow_variable(v) for v in trainable_variables]
        tf.__internal__.distribute.interim.maybe_merge_call(
            self._distributed_tf_update_step,
            self._distribution_strategy,
            list(zip(grads, variables, strict=True)),
            learning_rate,
        )

    def _value(self, variable):
        return tf.convert_to_tensor(_tensorflow_variable(variable))

    def _add_slot(self, variable, name):
        with self._distribution_strategy.extended.colocate_vars_with(
            _tensorflow_variable(variable)
        ):
            return super()._add_slot(variable, name)


def _tensorflow_variable(variable) -> tf.Variable:
    return variable.value if isinstance(variable, keras.Variable) else variable
