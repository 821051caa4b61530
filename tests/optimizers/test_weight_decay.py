"""Weight decay leaves out what was excluded, after a reload too."""

import functools
import json

import numpy as np
import pytest

from tests.support.front_ends import both_front_ends
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.models import SHAPES
from tests.support.models import train
from tests.support.models import unbuilt_model
from tests.support.saving import through_keras_file
from tests.support.shared_code import both_kinds
from tests.support.shared_code import every_optimizer_once
from tests.support.trajectories import same_bits
from tests.support.trajectories import stepped

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("functions_run_eagerly"),
]

ARGUMENTS = {"learning_rate": 0.125, "weight_decay": 0.5}
GRADIENTS = heavy_tailed_gradients(steps=3)


def _end(front_end, optimizer, variables):
    for gradient in GRADIENTS:
        front_end.apply(optimizer, gradient, variables)
    return front_end.values(variables)


@functools.cache
def _expected(front_end, name, weight_decay):
    """Returns where three steps lead with some weight decay, or without."""
    arguments = {**ARGUMENTS, "weight_decay": weight_decay}
    _, variables = stepped(front_end, name, arguments, GRADIENTS)
    return front_end.values(variables)


def _assert_all_but_the_second_decayed(front_end, name, actual):
    decayed, undecayed = (_expected(front_end, name, w) for w in (0.5, None))
    assert not same_bits([decayed[1]], [undecayed[1]])
    assert same_bits(actual, [decayed[0], undecayed[1], decayed[2]])


def _assert_these_decay_once_loaded(front_end, model, shapes, expected, path):
    """Steps by zeros, saves and loads, and looks at who moves after that."""
    gradients = [np.zeros(shape) for shape in shapes]
    train(front_end, model, [gradients])
    loaded = through_keras_file(front_end, model, None, path)
    for each in (model, loaded):
        before = each.get_weights()
        train(front_end, each, [gradients])
        after = each.get_weights()
        decays = [np.any(a != b) for a, b in zip(after, before, strict=True)]
        assert decays == expected


@pytest.mark.parametrize(
    "patterns", [["x1"], ["^x1$"], ["bias", "1"]], ids=", ".join
)
@pytest.mark.parametrize("how", ["argument", "method", "config"])
@both_kinds
@both_front_ends
def test_variables_excluded_by_name_do_not_decay(
    front_end, enrolment, patterns, how
):
    excluded = {"exclude_from_weight_decay": patterns}
    if how == "argument":
        optimizer = front_end.optimizer(enrolment.name, **ARGUMENTS, **excluded)
    else:
        optimizer = front_end.optimizer(enrolment.name, **ARGUMENTS)
        optimizer.exclude_from_weight_decay(var_names=patterns)
    if how == "config":
        config = json.loads(json.dumps(optimizer.get_config()))
        optimizer = type(optimizer).from_config(config)
    actual = _end(front_end, optimizer, front_end.variables(parameters()))
    _assert_all_but_the_second_decayed(front_end, enrolment.name, actual)


@pytest.mark.parametrize("reloaded", [False, True])
@every_optimizer_once
def test_variables_excluded_by_list_do_not_decay(
    front_end, enrolment, reloaded
):
    optimizer = front_end.optimizer(enrolment.name, **ARGUMENTS)
    variables = front_end.variables(parameters())
    optimizer.exclude_from_weight_decay(var_list=[variables[1]])
    if reloaded:
        optimizer = type(optimizer).from_config(optimizer.get_config())
    actual = _end(front_end, optimizer, variables)
    _assert_all_but_the_second_decayed(front_end, enrolment.name, actual)


@both_front_ends
def test_exclusions_add_up(front_end):
    optimizer = front_end.optimizer(
        "gclip", **ARGUMENTS, exclude_from_weight_decay=["x0"]
    )
    variables = front_end.variables(parameters())
    optimizer.exclude_from_weight_decay(var_list=[variables[1]])
    optimizer.exclude_from_weight_decay(var_names=["x2"])
    optimizer.build(variables)
    listed = optimizer.get_config()["exclude_from_weight_decay"]
    assert listed == ["x0", "x2", 1]
    assert optimizer.step_settings.undecayed == {0, 1, 2}


@both_kinds
@both_front_ends
def test_exclusion_by_list_spares_variables_of_the_same_name(
    front_end, enrolment
):
    optimizer = front_end.optimizer(enrolment.name, **ARGUMENTS)
    variables = [front_end.variable(x, name="same") for x in parameters()]
    optimizer.exclude_from_weight_decay(var_list=[variables[1]])
    actual = _end(front_end, optimizer, variables)
    _assert_all_but_the_second_decayed(front_end, enrolment.name, actual)


@pytest.mark.parametrize("by", ["name", "list"])
@both_kinds
@both_front_ends
def test_exclusions_survive_the_keras_file(front_end, enrolment, by, tmp_path):
    optimizer = front_end.optimizer(enrolment.name, **ARGUMENTS)
    model = unbuilt_model(front_end, optimizer)
    excluded = model.get_layer("second").kernel
    if by == "name":
        optimizer.exclude_from_weight_decay(var_names=["second/kernel"])
    else:
        optimizer.exclude_from_weight_decay(var_list=[excluded])
    expected = [True, True, False, True]
    _assert_these_decay_once_loaded(
        front_end, model, SHAPES, expected, tmp_path
    )


@both_kinds
@both_front_ends
def test_exclusion_by_list_survives_among_layers_of_the_same_name(
    front_end, enrolment, tmp_path
):
    """Two towers with a layer of one name each; one kernel is excluded."""
    layers = front_end.framework.layers
    models = front_end.framework.models

    def tower(name):
        dense = layers.Dense(3, use_bias=False, name="dense")
        return models.Sequential([layers.Input((3,)), dense], name=name)

    first, second = tower("first"), tower("second")
    inputs = layers.Input((3,))
    model = models.Model(inputs, second(first(inputs)))
    optimizer = front_end.optimizer(enrolment.name, **ARGUMENTS)
    optimizer.exclude_from_weight_decay(
        var_list=[second.get_layer("dense").kernel]
    )
    model.compile(optimizer=optimizer, loss="mse")
    shapes, expected = [(3, 3), (3, 3)], [True, False]
    _assert_these_decay_once_loaded(
        front_end, model, shapes, expected, tmp_path
    )


@every_optimizer_once
def test_decay_of_a_step_is_of_the_variable_before_it(front_end, enrolment):
    """Decoupled: `x − lr · weight_decay · x` next to the step without it."""
    x = [np.array([4.0, -8.0])]
    gradients = [[np.array([1.0, 0.5])]]
    ends = []
    for decay in (0.5, None):
        arguments = {"learning_rate": 0.25, "weight_decay": decay}
        _, variables = stepped(
            front_end, enrolment.name, arguments, gradients, x, "float64"
        )
        ends.append(front_end.value(variables[0]))
    np.testing.assert_allclose(ends[0] - ends[1], [-0.5, 1.0], rtol=1e-14)
