"""A delayed step is by what was known some updates before."""

import functools

import pytest

from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.refusals import refused_naming
from tests.support.trajectories import assert_close
from tests.support.trajectories import oracle_positions
from tests.support.trajectories import positions
from tests.support.trajectories import same_bits

DELAYED = {e.name: e for e in ENROLMENTS.values() if e.delays}

every_delayed = pytest.mark.parametrize(
    "enrolment", DELAYED.values(), ids=DELAYED
)


def _arguments(name, delay):
    """About half of the gradients are clipped, none to the first b."""
    start = {"initial_accumulator": 8.0} if name.endswith("_norm") else {}
    return {
        "learning_rate": 0.015625,
        "clip_threshold": 16.0,
        "delay": delay,
        **start,
    }


@functools.cache
def _path(name, delay):
    optimizer = KERAS.optimizer(name, **_arguments(name, delay))
    gradients = heavy_tailed_gradients()
    return positions(KERAS, optimizer, parameters(), gradients, "float64")


def test_delays_of_a_scalar_are_more_than_those_of_a_tensor():
    largest = {e.name: max(e.delays) for e in DELAYED.values()}
    assert largest["clip_adam_norm"] == largest["clip_adagrad_norm"] == 7
    assert largest["clip_adam"] == largest["clip_adagrad"] == 1


@pytest.mark.parametrize(
    ("enrolment", "delay"),
    [(e, delay) for e in DELAYED.values() for delay in e.delays],
    ids=lambda value: getattr(value, "name", value),
)
def test_twenty_delayed_steps_are_those_of_the_oracle(enrolment, delay):
    arguments = _arguments(enrolment.name, delay)
    expected = oracle_positions(
        enrolment, arguments, parameters(), heavy_tailed_gradients()
    )
    assert_close(_path(enrolment.name, delay), expected, "float64")


@every_delayed
def test_neighbouring_delays_give_different_steps(enrolment):
    """They are the same until the shorter one leaves the start behind."""
    for shorter, longer in zip(
        enrolment.delays[:-1], enrolment.delays[1:], strict=True
    ):
        paths = [_path(enrolment.name, delay) for delay in (shorter, longer)]
        same = [same_bits(*xs) for xs in zip(*paths, strict=True)]
        first = same.index(False)
        assert not any(same[first:])
        assert first == shorter + 1


@pytest.mark.parametrize("name", ["clip_adam_norm", "clip_adagrad_norm"])
def test_delay_with_correction_raises(name):
    with pytest.raises(ValueError, match="bias_correction=True"):
        KERAS.optimizer(name, bias_correction=True, delay=1)


@pytest.mark.parametrize("name", ["clip_adam", "clip_adagrad"])
def test_delayed_tensor_that_starts_at_zero_raises(name):
    start = "`initial_accumulator_value` must be a number in (0, inf)"
    with refused_naming(start):
        KERAS.optimizer(name, initial_accumulator_value=0.0, delay=1)
    config = KERAS.optimizer(name, delay=1).get_config()
    assert config["initial_accumulator_value"] == 1e-5
