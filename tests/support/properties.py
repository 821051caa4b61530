"""What property tests share: their numbers, and steps that are cheap."""

import functools

import numpy as np
import tensorflow as tf
from hypothesis import HealthCheck
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies

from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.gradients import parameters

SHAPES = ((2, 2), (3,), ())
SIZE = sum(int(np.prod(shape)) for shape in SHAPES)

property_of = settings(
    derandomize=True,
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


def in_shapes(vector):
    """Returns the vector as arrays of the shapes `SHAPES`."""
    ends = np.cumsum([int(np.prod(shape)) for shape in SHAPES])
    pieces = np.split(vector, ends[:-1])
    return [p.reshape(s) for p, s in zip(pieces, SHAPES, strict=True)]


def vectors(elements):
    """Returns a strategy for one number for each coordinate of all shapes."""
    return numpy_strategies.arrays(np.float64, SIZE, elements=elements)


def signed(exponent):
    """Returns a strategy for 0 and sizes of 2^−exponent to 2^exponent."""
    sizes = st.floats(2.0**-exponent, 2.0**exponent)
    return st.just(0.0) | sizes | sizes.map(lambda size: -size)


class Replay:
    """Traces an optimizer once, then steps it from its first state per call.

    Args:
        name: Name of the optimizer in the registry.
        arguments: Its arguments.
        shapes: Shapes of the variables.
    """

    def __init__(self, name, arguments, shapes=SHAPES):
        self.optimizer = KERAS.optimizer(name, **arguments)
        self.variables = KERAS.variables(parameters(shapes), "float64")
        self.optimizer.build(self.variables)
        self._start = KERAS.state(self.optimizer)
        self._run = tf.function(self._steps)

    def __call__(self, x, gradients):
        """Returns a list with the variables before and after every step."""
        x = [np.asarray(value) for value in x]
        stacked = zip(*gradients, strict=True)
        after = self._run(
            [tf.constant(value) for value in x],
            [tf.constant(np.stack(values)) for values in stacked],
        )
        columns = [
            np.concatenate([start[None], rest])
            for start, rest in zip(x, after, strict=True)
        ]
        return [list(row) for row in zip(*columns, strict=True)]

    def _steps(self, x, gradients):
        start = zip(self.optimizer.variables, self._start, strict=True)
        for variable, value in (*start, *zip(self.variables, x, strict=True)):
            variable.assign(value)
        return tf.scan(self._step, gradients, x, parallel_iterations=1)

    def _step(self, _, gradients):
        KERAS.apply(self.optimizer, gradients, self.variables)
        return [tf.convert_to_tensor(v.value) for v in self.variables]


@functools.cache
def replay(name, variant, shapes=SHAPES):
    """Returns a `Replay` of an enrolled variant."""
    return Replay(name, ENROLMENTS[name].variants[variant], shapes)
