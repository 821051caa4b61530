"""Whole training steps by Keras' own training loop, on TensorFlow."""

from collections.abc import Callable

import keras
import tensorflow as tf

from benchmarks import bert
from benchmarks import tensorflow_steps
from benchmarks.contestants import Contestant
from benchmarks.floor import bytes_of_state
from benchmarks.stepping import Stepper


class FitBench:
    """Optimizers that all train the same weights on the same batch.

    Args:
        shapes: Name of the sizes of the BERT.
        seed: Seed of the weights and of the batch.
    """

    def __init__(self, shapes: str, seed: int) -> None:
        keras.utils.set_random_seed(seed)
        self._model = bert.model(shapes)
        inputs, labels = bert.batch(shapes, seed)
        self._inputs = [tf.constant(value) for value in inputs]
        self._labels = tf.constant(labels)
        tensorflow_steps.load_xla()

    def build(self, contestant: Contestant) -> Stepper:
        """Returns a contestant with its state.

        Args:
            contestant: A contestant of the mode.
        """
        if contestant.family == "none":
            optimizer = NoUpdate()
        else:
            optimizer = contestant.make("fit")
        # Another model of the same layers has the same weights.
        model = keras.Model(self._model.inputs, self._model.outputs)
        optimizer.build(model.trainable_variables)
        model.compile(
            optimizer,
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            # What Keras chooses on a CPU.
            jit_compile=False,
        )

        def step():
            model.train_on_batch(self._inputs, self._labels)

        variables = optimizer.variables
        return Stepper(
            step,
            lambda: tensorflow_steps.free(variables),
            bytes_of_state(variables),
        )

    def copy(self, elements: int) -> Callable[[], None]:
        """Returns what adds one buffer to another in place.

        Args:
            elements: Elements of either buffer.
        """
        return tensorflow_steps.copy(elements)


class NoUpdate(keras.optimizers.Optimizer):
    """Has all gradients computed, reads a number of each, and moves nothing.

    TensorFlow would leave out the backward pass if nobody read its results.
    XLA would compute the numbers that are read alone.
    """

    def __init__(self) -> None:
        super().__init__(learning_rate=0.0)

    def build(self, variables):
        """Creates the variable that the numbers are added up in."""
        super().build(variables)
        self.sum = self.add_variable((), name="sum")

    def apply(self, grads, trainable_variables=None):
        """Reads a number of each gradient."""
        first = [
            tf.reshape(g.values if isinstance(g, tf.IndexedSlices) else g, [-1])
            for g in grads
        ]
        self.sum.assign(tf.add_n([values[0] for values in first]))
