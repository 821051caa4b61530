"""Frozen, constrained, averaged and overwritten variables."""

import numpy as np
import pytest

from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.models import dense_model
from tests.support.models import fit
from tests.support.shared_code import both_kinds
from tests.support.shared_code import every_optimizer_once
from tests.support.shared_code import few_variants_once
from tests.support.trajectories import assert_close
from tests.support.trajectories import oracle_positions
from tests.support.trajectories import same_bits
from tests.support.trajectories import stepped

# A few steps cost less than a graph of them.
pytestmark = pytest.mark.usefixtures("functions_run_eagerly")

STEPS = 7
GRADIENTS = heavy_tailed_gradients(steps=STEPS)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@few_variants_once
def test_variable_without_gradients_is_as_if_absent(
    front_end, enrolment, variant
):
    run = (front_end, enrolment.name, enrolment.variants[variant])
    x = parameters()
    some = [[g[0], None, g[2]] for g in GRADIENTS]
    others = [[g[0], g[2]] for g in GRADIENTS]
    _, variables = stepped(*run, some)
    first, missing, last = front_end.values(variables)
    _, variables = stepped(*run, others, [x[0], x[2]])
    assert same_bits([first, last], front_end.values(variables))
    assert same_bits([missing], [x[1].astype("float32")])


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@every_optimizer_once
def test_variable_keeps_its_state_in_a_step_without_its_gradient(
    front_end, enrolment
):
    arguments = {"learning_rate": 0.125}
    optimizer, variables = stepped(
        front_end, enrolment.name, arguments, GRADIENTS[:1]
    )
    shape = variables[1].shape
    before = [s for s in front_end.state(optimizer) if s.shape == shape]
    x = front_end.value(variables[1])
    front_end.apply(optimizer, [GRADIENTS[1][0], None, None], variables)
    after = [s for s in front_end.state(optimizer) if s.shape == shape]
    assert same_bits(after, before)
    assert same_bits([front_end.value(variables[1])], [x])
    front_end.apply(optimizer, GRADIENTS[2], variables)
    assert np.all(front_end.value(variables[1])[2:] != x[2:])


@both_kinds
@both_front_ends
def test_frozen_layer_keeps_its_weights_and_gets_no_state(front_end, enrolment):
    model = dense_model(front_end, "sgd")
    model.get_layer("first").trainable = False
    optimizer = front_end.optimizer(enrolment.name, learning_rate=0.125)
    model.compile(optimizer=optimizer, loss="mse")
    before = model.get_weights()
    fit(model, epochs=2)
    after = model.get_weights()
    assert same_bits(after[:2], before[:2])
    assert all(
        np.any(a != b) for a, b in zip(after[2:], before[2:], strict=True)
    )
    shapes = [s.shape for s in front_end.state(optimizer)]
    assert shapes.count((4, 2)) == len(optimizer.rule.slots)
    assert (3, 4) not in shapes


@both_kinds
@both_front_ends
def test_constraint_holds_after_every_step(front_end, enrolment):
    framework = front_end.framework
    layer = framework.layers.Dense(
        3, kernel_constraint="non_neg", use_bias=False
    )
    layer.build((None, 4))
    layer.kernel.assign(np.zeros((4, 3)))
    arguments = {"learning_rate": 0.25, "weight_decay": None}
    optimizer = front_end.optimizer(enrolment.name, **arguments)
    gradients = heavy_tailed_gradients([(4, 3)], STEPS)
    free = oracle_positions(enrolment, arguments, [np.zeros((4, 3))], gradients)
    expected = [[np.zeros((4, 3))]]
    actual = [[front_end.value(layer.kernel)]]
    for step, gradient in enumerate(gradients):
        front_end.apply(optimizer, gradient, [layer.kernel])
        actual.append([front_end.value(layer.kernel)])
        move = free[step + 1][0] - free[step][0]
        expected.append([np.maximum(expected[-1][0] + move, 0)])
    assert np.any(expected[-1][0] > free[-1][0])
    assert_close(actual, expected, "float32")


def _averages(front_end, enrolment, overwrite_frequency):
    """Returns what EMA makes of the oracle's moves: variables and averages.

    Keras 3 starts averages at the variables after the first step, tf_keras at
    the variables before it.
    """
    arguments = {"learning_rate": 0.25, "weight_decay": None}
    free = oracle_positions(enrolment, arguments, parameters(), GRADIENTS)
    xs, averages = [free[0]], [free[0]]
    for step in range(STEPS):
        x, average = [], []
        for index in range(len(free[0])):
            new = xs[-1][index] + free[step + 1][index] - free[step][index]
            keep = 0.0 if front_end is KERAS and step == 0 else 0.75
            average.append(keep * averages[-1][index] + (1 - keep) * new)
            overwrite = (
                overwrite_frequency and (step + 1) % overwrite_frequency == 0
            )
            x.append(average[-1] if overwrite else new)
        xs.append(x)
        averages.append(average)
    return xs, averages


@pytest.mark.parametrize("overwrite_frequency", [None, 3])
@both_kinds
@both_front_ends
def test_ema_averages_the_variables_after_their_steps(
    front_end, enrolment, overwrite_frequency
):
    optimizer = front_end.optimizer(
        enrolment.name,
        learning_rate=0.25,
        weight_decay=None,
        use_ema=True,
        ema_momentum=0.75,
        ema_overwrite_frequency=overwrite_frequency,
    )
    variables = front_end.variables(parameters(), "float64")
    actual = [front_end.values(variables)]
    for gradient in GRADIENTS:
        front_end.apply(optimizer, gradient, variables)
        actual.append(front_end.values(variables))
    xs, averages = _averages(front_end, enrolment, overwrite_frequency)
    # A step, two products and a sum.
    assert_close(actual, xs, "float64")

    optimizer.finalize_variable_values(variables)
    final = front_end.values(variables)
    for value, average in zip(final, averages[-1], strict=True):
        np.testing.assert_allclose(value, average, rtol=1e-12, atol=1e-12)


@both_kinds
def test_variable_overwritten_with_its_gradient_is_no_part_of_the_step(
    enrolment,
):
    arguments = {"learning_rate": 0.125, "global_clipnorm": 1.0}
    x, others = parameters(), [[g[0], g[2]] for g in GRADIENTS]
    _, expected = stepped(
        KERAS, enrolment.name, arguments, others, [x[0], x[2]]
    )
    optimizer = KERAS.optimizer(enrolment.name, monitor=True, **arguments)
    variables = KERAS.variables(x)
    variables[1].overwrite_with_gradient = True
    for gradient in GRADIENTS:
        KERAS.apply(optimizer, gradient, variables)
    actual = KERAS.values(variables)
    assert same_bits([actual[0], actual[2]], KERAS.values(expected))
    assert same_bits([actual[1]], [GRADIENTS[-1][1].astype("float32")])
    shapes = [s.shape for s in KERAS.state(optimizer)]
    assert shapes.count(x[0].shape) == len(optimizer.rule.slots)
    assert x[1].shape not in shapes


@every_optimizer_once
def test_variables_frozen_after_the_build_keep_their_state(
    front_end, enrolment
):
    optimizer = front_end.optimizer(enrolment.name, learning_rate=0.125)
    variables = front_end.variables(parameters())
    optimizer.build(variables)
    front_end.apply(optimizer, GRADIENTS[0][:1], variables[:1])
    values = front_end.values(variables)
    expected = [x.astype("float32") for x in parameters()]
    assert same_bits(values[1:], expected[1:])
    assert np.any(values[0] != expected[0])


@both_kinds
@both_front_ends
def test_apply_gradients_returns_the_iterations(front_end, enrolment):
    optimizer = front_end.optimizer(enrolment.name)
    variables = front_end.variables(parameters())
    for count, gradient in enumerate(GRADIENTS, start=1):
        tensors = [front_end.tensor(g) for g in gradient]
        pairs = zip(tensors, variables, strict=True)
        assert int(optimizer.apply_gradients(pairs)) == count
