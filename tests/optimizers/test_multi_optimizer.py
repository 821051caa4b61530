"""Under `keras.optimizers.MultiOptimizer` each optimizer is itself."""

import keras
import numpy as np
import pytest

from tests.support.enrolment import every_optimizer
from tests.support.front_ends import KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.models import dense_model
from tests.support.models import everything
from tests.support.models import fit
from tests.support.shared_code import both_kinds
from tests.support.trajectories import same_bits
from tests.support.trajectories import stepped

pytestmark = pytest.mark.usefixtures("functions_run_eagerly")

GRADIENTS = heavy_tailed_gradients(steps=4)
FIRST = {"learning_rate": 0.125, "global_clipnorm": 0.5}
SECOND = {"learning_rate": 0.5, "weight_decay": 0.25, "loss_scale_factor": None}


def _multi_optimizer(name, pattern):
    return keras.optimizers.MultiOptimizer(
        keras.optimizers.OptimizerMap(
            KERAS.optimizer(name, **FIRST),
            {pattern: KERAS.optimizer(name, **SECOND)},
        )
    )


def _alone(name, arguments, indices):
    x, *gradients = (
        [arrays[i] for i in indices] for arrays in (parameters(), *GRADIENTS)
    )
    _, variables = stepped(KERAS, name, arguments, gradients, x)
    return KERAS.values(variables)


@every_optimizer
def test_each_optimizer_steps_as_if_alone(enrolment):
    """The global norm included: it is that of an optimizer's own variables."""
    optimizer = _multi_optimizer(enrolment.name, "x1")
    variables = KERAS.variables(parameters())
    for gradient in GRADIENTS:
        KERAS.apply(optimizer, gradient, variables)
    actual = KERAS.values(variables)
    expected = _alone(enrolment.name, FIRST, [0, 2])
    assert same_bits([actual[0], actual[2]], expected)
    assert same_bits([actual[1]], _alone(enrolment.name, SECOND, [1]))


@both_kinds
def test_model_trains_under_a_multi_optimizer_made_from_its_config(enrolment):
    """Keras 3.15 itself cannot load a saved model with a multi-optimizer."""
    ends = []
    for reload in (False, True):
        optimizer = _multi_optimizer(enrolment.name, "second/.*")
        if reload:
            config = keras.optimizers.serialize(optimizer)
            optimizer = keras.optimizers.deserialize(config)
        model = dense_model(KERAS, optimizer)
        before = model.get_weights()
        fit(model, epochs=1, batch_size=32)
        assert all(
            np.any(a != b)
            for a, b in zip(model.get_weights(), before, strict=True)
        )
        ends.append(everything(KERAS, model))
    assert same_bits(*ends)
