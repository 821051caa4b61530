"""The pure step is the step of the optimizer."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_clip.step import start
from keras_clip.step import take
from tests.support.enrolment import few_variants
from tests.support.front_ends import KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.trajectories import assert_close

SHAPES = ((3,), (5,), ())
# Of the way.
AGREEMENT = 4e-6
GRADIENTS = heavy_tailed_gradients(SHAPES, 4)


def tensors(arrays):
    return [ops.convert_to_tensor(array, "float32") for array in arrays]


@pytest.mark.slow
@few_variants
def test_pure_step_is_the_step_of_the_optimizer(enrolment, variant):
    """To a few roundings: the optimizer's is one graph of longer vectors."""
    optimizer = KERAS.optimizer(enrolment.name, **enrolment.variants[variant])
    variables = KERAS.variables(parameters(SHAPES))
    optimizer.build(variables)
    values = tensors(parameters(SHAPES))
    state = start(optimizer.step_settings, values)
    stepped, taken = [parameters(SHAPES)], [parameters(SHAPES)]
    for gradients in GRADIENTS:
        rate = ops.convert_to_tensor(optimizer.learning_rate)
        KERAS.apply(optimizer, tensors(gradients), variables)
        values, state = take(
            optimizer.step_settings, values, state, tensors(gradients), rate
        )
        stepped.append(KERAS.values(variables))
        taken.append([np.asarray(value, "float64") for value in values])
    assert_close(stepped, taken, "float32", relative=AGREEMENT)
    kept = keras.tree.flatten([state.scalars[:-2], state.slots])
    kept += state.scalars[-2:]
    kept = [np.asarray(value) for value in kept if value is not None]
    held = optimizer.variables[-len(kept) :]
    assert held[0] is optimizer.update_count
    for variable, value in zip(held, kept, strict=True):
        np.testing.assert_allclose(variable, value, rtol=1e-5, atol=1e-6)
