"""Models that an earlier version saved load and go on as they did there.

`python -m tests.golden.generate` wrote the files.
"""

import functools
import json

import numpy as np

from tests.enrolment import ENROLMENTS
from tests.enrolment import every_optimizer
from tests.front_ends import both_front_ends
from tests.golden import generate
from tests.models import SHAPES
from tests.models import train
from tests.trajectories import assert_close


@functools.cache
def _recorded(front_end, name):
    with open(generate.path_of(front_end, name, "json")) as file:
        return json.load(file)


def _arrays(lists):
    return [
        np.array(values, "float64").reshape(shape)
        for values, shape in zip(lists, SHAPES, strict=True)
    ]


@every_optimizer
@both_front_ends
def test_there_is_a_model_that_an_earlier_version_saved(front_end, enrolment):
    for ending in ("keras", "json"):
        assert generate.path_of(front_end, enrolment.name, ending).is_file()


def test_there_are_no_files_but_of_enrolled_optimizers():
    names = {path.stem for path in generate.FOLDER.glob("*/*.json")}
    assert names == set(ENROLMENTS) == set(generate.ARGUMENTS)


@every_optimizer
@both_front_ends
def test_loaded_config_is_the_one_that_was_saved(front_end, enrolment):
    """Arguments may have been added since, with defaults."""
    recorded = _recorded(front_end, enrolment.name)["config"]
    model = generate.load(front_end, enrolment.name)
    assert type(model.optimizer) is front_end.optimizer_class(enrolment.name)
    config = generate.config_of(model)
    assert {name: config[name] for name in recorded} == recorded


@every_optimizer
@both_front_ends
def test_loaded_variables_are_those_that_were_saved_in_their_order(
    front_end, enrolment
):
    recorded = _recorded(front_end, enrolment.name)
    model = generate.load(front_end, enrolment.name)
    assert generate.variables_of(front_end, model) == recorded["variables"]
    assert generate.weights_of(front_end, model) == recorded["weights"][0]


@every_optimizer
@both_front_ends
def test_loaded_model_goes_on_to_the_recorded_weights(front_end, enrolment):
    expected = [
        _arrays(weights)
        for weights in _recorded(front_end, enrolment.name)["weights"]
    ]
    model = generate.load(front_end, enrolment.name)
    actual = [front_end.values(model.variables)]
    for gradients in generate.GRADIENTS[generate.SAVED_AFTER :]:
        train(front_end, model, [gradients])
        actual.append(front_end.values(model.variables))
    assert len(actual) == len(expected) == 3
    assert all(
        np.any(after != before)
        for before, after in zip(actual[0], actual[-1], strict=True)
    )
    assert_close(actual, expected, "float32")
