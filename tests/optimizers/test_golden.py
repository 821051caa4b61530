"""Models that an earlier version saved load and go on as they did there.

`python -m tests.golden.generate` wrote the files.
"""

import functools
import json

import numpy as np
import pytest

from tests.golden import generate
from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import both_front_ends
from tests.support.models import SHAPES
from tests.support.models import train
from tests.support.trajectories import assert_close

every_saved_model = pytest.mark.parametrize(
    ("name", "layout"),
    [
        (name, layout)
        for layout, names in generate.LAYOUTS.items()
        for name in names
    ],
)
# What the first layout does not have.
LATER = {"clip_total_error", "missed_updates"}


# Three steps cost less than a graph of them.
pytestmark = pytest.mark.usefixtures("functions_run_eagerly")

# One that no test trains.
_loaded = functools.cache(generate.load)


@functools.cache
def _recorded(front_end, name, layout):
    path = generate.path_of(front_end, name, "json", layout)
    return json.loads(path.read_text())


def _arrays(lists):
    return [
        np.array(values, "float64").reshape(shape)
        for values, shape in zip(lists, SHAPES, strict=True)
    ]


def _subset(config, recorded):
    """Returns what a config says of all that was recorded of it.

    Arguments may have been added since, with defaults; those of a threshold in
    the optimizer's config too.
    """
    if isinstance(config, dict) and isinstance(recorded, dict):
        return {
            key: _subset(config[key], value) for key, value in recorded.items()
        }
    return config


def _with_own_names(variables):
    """Returns what was recorded, with `_1` and so on after repeated names."""
    seen, result = {}, []
    for variable in variables:
        name = variable["name"]
        number = seen.get(name, 0)
        seen[name] = number + 1
        if number:
            stem, *end = name.split(":")
            name = ":".join([f"{stem}_{number}", *end])
        result.append({**variable, "name": name})
    return result


def test_there_are_no_files_but_of_enrolled_optimizers():
    names = {path.stem for path in generate.FOLDER.glob("*/*/*.json")}
    assert names == set(ENROLMENTS)
    folders = {path.parents[1] for path in generate.FOLDER.glob("*/*/*.json")}
    assert {folder.name for folder in folders} == set(generate.LAYOUTS)


@every_saved_model
@both_front_ends
def test_loaded_config_is_the_one_that_was_saved(front_end, name, layout):
    recorded = _recorded(front_end, name, layout)["config"]
    model = _loaded(front_end, name, layout)
    assert type(model.optimizer) is front_end.optimizer_class(name)
    assert _subset(generate.config_of(model), recorded) == recorded


@every_saved_model
@both_front_ends
def test_loaded_variables_are_those_that_were_saved_in_their_order(
    front_end, name, layout
):
    recorded = _recorded(front_end, name, layout)
    expected = _with_own_names(recorded["variables"])
    model = _loaded(front_end, name, layout)
    loaded = generate.variables_of(front_end, model)
    assert loaded[: len(expected)] == expected
    later = loaded[len(expected) :]
    names = {v["name"].split("/")[-1].split(":")[0] for v in later}
    if layout == generate.LAST:
        assert not later
    else:
        assert "clip_total_error" in names <= LATER
    assert not any(value for v in later for value in v["values"])
    assert generate.weights_of(front_end, model) == recorded["weights"][0]


@pytest.mark.slow
@every_saved_model
@both_front_ends
def test_loaded_model_goes_on_to_the_recorded_weights(front_end, name, layout):
    expected = [
        _arrays(weights)
        for weights in _recorded(front_end, name, layout)["weights"]
    ]
    model = generate.load(front_end, name, layout)
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
