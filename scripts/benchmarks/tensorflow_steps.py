"""Updates on TensorFlow: eager, in a graph, in XLA, with tf_keras."""

from collections.abc import Callable
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from benchmarks import shapes as named_shapes
from benchmarks.contestants import Contestant
from benchmarks.floor import bytes_of_state
from benchmarks.stepping import Stepper
from benchmarks.stepping import gradient


class TensorFlowBench:
    """Optimizers that all move the same variables by the same gradients.

    Args:
        mode: `"eager"`, `"graph"`, `"xla"` or `"tf_keras"`.
        shapes: Name of the shapes of the variables.
        seed: Seed of the gradients.
    """

    def __init__(self, mode: str, shapes: str, seed: int) -> None:
        self._mode = mode
        rng = np.random.default_rng(seed)
        self._variables, self._gradients = [], []
        for shape in named_shapes.of(shapes):
            zeros = tf.zeros(shape)
            self._variables.append(
                tf.Variable(zeros)
                if mode == "tf_keras"
                else keras.Variable(zeros)
            )
            self._gradients.append(tf.constant(gradient(rng, shape)))
        load_xla()

    def build(self, contestant: Contestant) -> Stepper:
        """Returns a contestant with its state.

        Args:
            contestant: A contestant of the mode.
        """
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

    def copy(self, elements: int) -> Callable[[], None]:
        """Returns what adds one buffer to another in place.

        Args:
            elements: Elements of either buffer.
        """
        return copy(elements)


def load_xla() -> None:
    """Compiles something, so that no contestant's first call loads XLA."""
    tf.function(lambda x: x + 1, jit_compile=True)(tf.zeros(()))


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
