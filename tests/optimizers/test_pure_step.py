"""Both front ends take the pure step: its mathematics is theirs.

What is checked of a step in `tests/step`, on NumPy, is so of both.
"""

import keras
import numpy as np
import pytest
from keras import ops

from keras_clip.step import State
from keras_clip.step import start
from keras_clip.step import take
from keras_clip.step.part import Part
from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.gradients import SHAPES
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.shared_code import KINDS
from tests.support.trajectories import assert_close

# What is traced does the same: `test_compilation.py` says so.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Gradients do not exist"),
    pytest.mark.usefixtures("functions_run_eagerly"),
]

# They are clipped by a factor, by a bound and in their own way.
OF_EACH_KIND = ("clip_adam_norm", "cclip", "acclip")
KERAS_ARGUMENTS = (
    {"clipnorm": 0.5},
    {"clipvalue": 0.5},
    {"global_clipnorm": 0.5},
    {"monitor": True, "weight_decay": 0.25},
    {"nonfinite": "propagate"},
)


def _gradients():
    """Returns gradients that are good, zero, missing, NaN and infinite."""
    result = heavy_tailed_gradients(SHAPES, 7)
    result[1][1][2] = np.nan
    result[2][2] = None
    result[3][0][:] = -np.inf
    result[4] = [np.zeros_like(g) for g in result[4]]
    result[5][2][...] = np.inf
    return result


def _cases():
    """Yields an identifier, front end, name and arguments."""
    for front_end, enrolments, of_each_kind in (
        (KERAS, ENROLMENTS, OF_EACH_KIND),
        (TF_KERAS, KINDS, OF_EACH_KIND[:1]),
    ):
        for name, enrolment in enrolments.items():
            arrays = [key for key in enrolment.variants if "arrays" in key]
            for variant in {*enrolment.few, *arrays[:1]}:
                key = f"{front_end}-{name}-{variant}"
                yield key, front_end, name, enrolment.variants[variant]
        for name in of_each_kind:
            for arguments in KERAS_ARGUMENTS:
                key = f"{front_end}-{name}-{','.join(arguments)}"
                arguments = {"learning_rate": 0.125, **arguments}
                yield key, front_end, name, arguments


CASES = sorted(_cases(), key=lambda case: case[0])


@pytest.mark.parametrize(
    ("front_end", "name", "arguments"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_front_end_takes_the_pure_step(front_end, name, arguments):
    """To a few roundings: the front end's is one of longer vectors."""
    propagates = arguments.get("nonfinite") == "propagate"
    optimizer = front_end.optimizer(name, **arguments)
    variables = front_end.variables(parameters(SHAPES), "float64")
    optimizer.build(variables)
    settings = optimizer.step_settings
    values = [ops.convert_to_tensor(x, "float64") for x in parameters(SHAPES)]
    state = start(settings, values)
    whole = Part.all_of(values)
    stepped, taken = [parameters(SHAPES)], [parameters(SHAPES)]
    gradients = _gradients()
    for gradient in gradients[:2] if propagates else gradients:
        rate = ops.convert_to_tensor(optimizer.learning_rate)
        front_end.apply(optimizer, gradient, variables)
        values, state = _step(settings, values, state, gradient, rate, whole)
        stepped.append(front_end.values(variables))
        taken.append([ops.convert_to_numpy(value) for value in values])
    if propagates:
        _assert_nan_alike(stepped[-1], taken[-1])
    else:
        assert_close(stepped, taken, "float64")
    kept = keras.tree.flatten([state.scalars[:-2], state.slots])
    kept += state.scalars[-2:]
    kept = [ops.convert_to_numpy(value) for value in kept if value is not None]
    held = optimizer.variables[-len(kept) :]
    assert held[0] is optimizer.update_count
    for variable, value in zip(held, kept, strict=True):
        np.testing.assert_allclose(
            front_end.value(variable), value, rtol=1e-6, atol=1e-6
        )


def _assert_nan_alike(actual, expected):
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)
    assert any(np.isnan(value).any() for value in actual)


def _step(settings, values, state, gradients, learning_rate, whole):
    """Returns values and state after a step of those with a gradient."""
    positions = [i for i, g in enumerate(gradients) if g is not None]
    part = whole._replace(positions=tuple(positions))
    moved, after = take(
        settings,
        [values[i] for i in positions],
        State([state.slots[i] for i in positions], state.scalars),
        [ops.convert_to_tensor(gradients[i], "float64") for i in positions],
        learning_rate,
        part,
    )
    values, slots = list(values), list(state.slots)
    for position, value, own in zip(positions, moved, after.slots, strict=True):
        values[position], slots[position] = value, own
    return values, State(slots, after.scalars)
