"""Numbers for property tests, and runs from a first state."""

import functools

import keras
import numpy as np
from hypothesis import HealthCheck
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies

from keras_clip.step import start
from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.gradients import parameters
from tests.support.one_step import take_as_optimizers

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
    """Steps an optimizer from its first state at every call.

    Args:
        name: Name of the optimizer in the registry.
        arguments: Its arguments.
        shapes: Shapes of the variables.
    """

    def __init__(self, name, arguments, shapes=SHAPES):
        optimizer = KERAS.optimizer(name, **arguments)
        variables = KERAS.variables(parameters(shapes), "float64")
        optimizer.build(variables)
        self._settings = optimizer.step_settings
        self._learning_rate = optimizer._learning_rate

    def __call__(self, x, gradients):
        """Returns a list with the variables before and after every step."""
        values = [KERAS.tensor(value, "float64") for value in x]
        state = start(self._settings, values)
        path = [[np.asarray(value) for value in x]]
        for step, gradient in enumerate(gradients):
            values, state = take_as_optimizers(
                self._settings,
                values,
                state,
                [KERAS.tensor(g, "float64") for g in gradient],
                self._rate_at(step),
            )
            path.append([keras.ops.convert_to_numpy(v) for v in values])
        return path

    def _rate_at(self, step):
        rate = self._learning_rate
        if isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
            rate = rate(step)
        return keras.ops.convert_to_tensor(rate)


@functools.cache
def replay(name, variant, shapes=SHAPES):
    """Returns a `Replay` of an enrolled variant."""
    return Replay(name, ENROLMENTS[name].variants[variant], shapes)
