"""Updates and whole training steps on TensorFlow and tf_keras."""

from collections.abc import Callable
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from benchmarks.contestants import Contestant
from benchmarks.modes import MODES
from benchmarks.modes import ROWS_WITH_A_GRADIENT
from benchmarks.modes import shapes_of
from benchmarks.stepping import Bench
from benchmarks.stepping import Stepper
from benchmarks.stepping import bert
from benchmarks.stepping import bert_batch
from benchmarks.stepping import bytes_of_state
from benchmarks.stepping import gradient


def bench(mode: str, shapes: str, seed: int) -> Bench:
    """Returns what builds optimizers on what they share, and the copy.

    Args:
        mode: The mode, of TensorFlow.
        shapes: Name of the shapes.
        seed: Seed of the gradients, or of the weights and the batch.
    """
    if MODES[mode].trains:
        shared = _Training(shapes, seed)
    else:
        shared = _Updates(mode, shapes, seed)
    # So that no contestant's first call loads XLA.
    tf.function(lambda x: x + 1, jit_compile=True)(tf.zeros(()))
    return Bench(shared.build, copy)


class _Updates:
    """Optimizers that all move the same variables by the same gradients."""

    def __init__(self, mode: str, shapes: str, seed: int) -> None:
        self._mode = mode
        rng = np.random.default_rng(seed)
        self._variables, self._gradients = [], []
        for shape in shapes_of(shapes):
            zeros = tf.zeros(shape)
            self._variables.append(
                tf.Variable(zeros)
                if mode == "tf_keras"
                else keras.Variable(zeros)
            )
            if MODES[mode].by_rows:
                self._gradients.append(_rows(rng, shape))
            else:
                self._gradients.append(tf.constant(gradient(rng, shape)))

    def build(self, contestant: Contestant) -> Stepper:
        """Returns a contestant with its state."""
        optimizer = contestant.make(self._mode)
        optimizer.build(self._variables)

        def apply(gradients):
            pairs = zip(gradients, self._variables, strict=True)
            optimizer.apply_gradients(pairs)

        update = apply
        if self._mode != "eager":
            update = tf.function(apply, jit_compile=self._mode == "xla")

        def step():
            update(self._gradients)
            # On a GPU the call returns before the work is done.
            optimizer.iterations.numpy()

        variables = _variables_of(optimizer)
        return Stepper(step, lambda: free(variables), bytes_of_state(variables))


class _Training:
    """Optimizers that all train the same weights on the same batch."""

    def __init__(self, shapes: str, seed: int) -> None:
        keras.utils.set_random_seed(seed)
        self._model = bert(shapes)
        inputs, labels = bert_batch(shapes, seed)
        self._inputs = [tf.constant(value) for value in inputs]
        self._labels = tf.constant(labels)

    def build(self, contestant: Contestant) -> Stepper:
        """Returns a contestant with its state."""
        if contestant.family == "none":
            optimizer = _NoUpdate()
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
        return Stepper(step, lambda: free(variables), bytes_of_state(variables))


class _NoUpdate(keras.optimizers.Optimizer):
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


def copy(elements: int) -> Callable[[], None]:
    """Returns what adds one buffer to another in place.

    Args:
        elements: Elements of either buffer.
    """
    target = tf.Variable(tf.zeros((elements,)))
    source = tf.fill((elements,), 1.0)

    @tf.function
    def add():
        target.assign_add(source)
        return target[0]

    return lambda: add().numpy()


def _rows(rng, shape):
    """Returns a random gradient of some rows of a table."""
    count = ROWS_WITH_A_GRADIENT
    return tf.IndexedSlices(
        tf.constant(gradient(rng, (count, *shape[1:]))),
        tf.constant(rng.integers(shape[0], size=count)),
        tf.constant(shape),
    )


def free(variables: Sequence) -> None:
    """Gives the memory of an optimizer's variables back.

    What a `tf.function` has captured stays for good, whatever becomes of the
    function (tensorflow 2.20.0). So it is made small.

    Args:
        variables: Variables of Keras or TensorFlow, not to be used any more.
    """
    for variable in variables:
        if isinstance(variable, keras.Variable):
            variable = variable.value
        tf.raw_ops.AssignVariableOp(
            resource=variable.handle, value=tf.zeros((), variable.dtype)
        )


def _variables_of(optimizer):
    """Returns an optimizer's variables; in tf_keras they may be a method."""
    found = optimizer.variables
    return found() if callable(found) else found
