"""Properties of a step for any parameters and gradients."""

import functools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.enrolment import every_optimizer
from tests.support.enrolment import few_variants
from tests.support.enrolment.record import Adaptive
from tests.support.enrolment.record import Polynomial
from tests.support.properties import SHAPES
from tests.support.properties import SIZE
from tests.support.properties import Replay
from tests.support.properties import in_shapes
from tests.support.properties import property_of
from tests.support.properties import replay
from tests.support.properties import signed
from tests.support.properties import vectors
from tests.support.trajectories import assert_close
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow

STEPS = 3

# Another order of three variables, no two of them swapped.
ORDER = (2, 0, 1)

parameters = vectors(signed(20)).map(in_shapes)
gradients = st.lists(parameters, min_size=STEPS, max_size=STEPS)


def _each(function, positions):
    return [[function(i, x) for i, x in enumerate(xs)] for xs in positions]


@few_variants
@property_of
@given(
    x=parameters,
    g=gradients,
    signs=vectors(st.sampled_from((-1.0, 1.0))).map(in_shapes),
)
def test_flipping_signs_flips_them_along_the_path(
    enrolment, variant, x, g, signs
):
    """Of all coordinates or some, to the bit: every operator is odd."""
    run = replay(enrolment.name, variant)

    def flip(index, value):
        return signs[index] * value

    flipped = run(*_each(flip, [x]), _each(flip, g))
    expected = _each(flip, run(x, g))
    for actual, value in zip(flipped, expected, strict=True):
        assert all(map(np.array_equal, actual, value))


@few_variants
@property_of
@given(x=parameters, g=gradients, data=st.data())
def test_shuffling_a_variable_shuffles_its_path(enrolment, variant, x, g, data):
    """But for how the sum in a norm is rounded."""
    run = replay(enrolment.name, variant)
    orders = [
        data.draw(st.permutations(range(int(np.prod(shape)))))
        for shape in SHAPES
    ]

    def shuffle(index, value):
        return np.ravel(value)[orders[index]].reshape(SHAPES[index])

    shuffled = run(*_each(shuffle, [x]), _each(shuffle, g))
    assert_close(shuffled, _each(shuffle, run(x, g)), "float64")


@every_optimizer
@property_of
@given(x=parameters, g=gradients)
def test_order_of_the_variables_does_not_matter(enrolment, x, g):
    def reorder(values):
        return [values[index] for index in ORDER]

    variant = enrolment.few[1]
    run = replay(enrolment.name, variant)
    reordered = replay(enrolment.name, variant, tuple(reorder(SHAPES)))
    actual = reordered(reorder(x), [reorder(step) for step in g])
    assert_close(actual, [reorder(xs) for xs in run(x, g)], "float64")


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("acclip", "alpha=1.5,threshold,corrected"),
        ("gclip", "adaptive,alpha=1.5,decay"),
        ("cclip", "threshold,momentum,decay"),
        ("clip_adam_norm", "adaptive,delay=2,scale"),
        ("clip_adagrad_norm", "threshold,beta_1,corrected"),
        ("clip_adam", "coordinate,threshold"),
        ("clip_adagrad", "global,adaptive,beta_1,decay"),
    ],
)
@property_of
@given(x=parameters, g=gradients)
def test_parameters_move_alike_in_one_variable_and_in_several(
    name, variant, x, g
):
    """If no number belongs to one variable alone."""

    def joined(values):
        return [np.concatenate([np.ravel(value) for value in values])]

    one = replay(name, variant, ((SIZE,),))
    actual = one(joined(x), [joined(step) for step in g])
    several = replay(name, variant)(x, g)
    assert_close(actual, [joined(xs) for xs in several], "float64")


# Arguments for gradients in units of 1/c: what has the gradient's dimension
# scales along, so that the path stays where it is.
UNITS = {
    "acclip-rms,alpha=2": lambda c: {"epsilon": c / 8, "alpha": 2.0},
    "acclip-threshold": lambda c: {
        "epsilon": c / 8,
        "step_scaling": "threshold",
        "bias_correction": True,
    },
    "acclip-None": lambda c: {
        "learning_rate": 0.125 / c,
        "epsilon": c / 8,
        "step_scaling": None,
        "weight_decay": None,
    },
    "gclip-threshold": lambda c: {
        "learning_rate": 0.125 / c,
        "clip_threshold": 16 * c,
        "momentum": 0.5,
        "projection_radius": 8.0,
    },
    "cclip-polynomial": lambda c: {
        "learning_rate": 0.125 / c,
        "clip_threshold": Polynomial(c, 0.5),
        "momentum": 0.5,
    },
    "clip_adam_norm-threshold": lambda c: {
        "clip_threshold": 16 * c,
        "weight_decay": 0.5,
    },
    "clip_adam_norm-None,corrected": lambda c: {
        "clip_threshold": None,
        "bias_correction": True,
    },
    "clip_adam_norm-polynomial,delay=2": lambda c: {
        "clip_threshold": Polynomial(16 * c, 0.5),
        "delay": 2,
        "accumulator_scale": 3.0,
    },
    "clip_adagrad_norm-adaptive": lambda c: {
        "clip_threshold": Adaptive(0.5, 0.75, 1.0),
        "beta_1": 0.5,
        "weight_decay": 0.5,
    },
    "clip_adagrad_norm-threshold,start,delay=1": lambda c: {
        "clip_threshold": 16 * c,
        "initial_accumulator": c,
        "delay": 1,
    },
    "clip_adam-global": lambda c: {
        "clip_threshold": 16 * c,
        "epsilon": c / 8,
        "weight_decay": 0.5,
    },
    "clip_adam-layer,delay=1": lambda c: {
        "clip_threshold": 4 * c,
        "clipping": "layer",
        "delay": 1,
        "epsilon": c / 8,
        "initial_accumulator_value": c**2,
    },
    "clip_adagrad-coordinate": lambda c: {
        "clip_threshold": c,
        "clipping": "coordinate",
        "epsilon": c**2 / 8,
        "initial_accumulator_value": c**2,
    },
}


@functools.cache
def _in_units(key, c):
    arguments = {"learning_rate": 0.125, **UNITS[key](c)}
    return Replay(key.split("-")[0], arguments)


@pytest.mark.parametrize("key", UNITS)
@property_of
@given(x=parameters, g=gradients)
def test_unit_of_the_gradient_does_not_matter(key, x, g):
    """To the bit, for powers of two."""
    c = 2.0**-9
    scaled = [[c * value for value in step] for step in g]
    actual = _in_units(key, c)(x, scaled)
    expected = _in_units(key, 1.0)(x, g)
    assert all(map(same_bits, actual, expected))
