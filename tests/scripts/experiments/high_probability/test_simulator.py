"""The runs of the lab: their noise, their steps, what is saved of them."""

import inspect
import math
import re

import numpy as np
import pytest

from experiments.high_probability import claims
from experiments.high_probability import measures
from tests.support.programs.launch import results_of

pytestmark = pytest.mark.slow

CLAIMS = claims.load()

# Those of the program, which switches JAX to float64 when it is imported.
SIMULATIONS = (
    "sgd",
    "projected, averaged",
    "cclip",
    "adagrad_norm",
    "adam_norm",
    "adam",
    "adagrad",
    "acclip",
    "spike",
)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("high_probability")
    return results_of("high_probability", "runs", str(folder), backend="jax")


@pytest.mark.parametrize("name", SIMULATIONS)
def test_errors_are_those_of_numpy_for_the_same_random_bits(found, name):
    assert found["errors"].keys() == set(SIMULATIONS)
    simulated, expected = found["errors"][name]
    # Errors are kept in float32.
    np.testing.assert_allclose(simulated, expected, rtol=1e-7)


def test_runs_are_the_same_in_one_piece_in_blocks_and_resumed(found):
    whole, in_blocks, resumed, (*lines, damage) = found["blocks"]
    np.testing.assert_array_equal(in_blocks, whole)
    np.testing.assert_array_equal(resumed, whole)
    assert whole.shape == (3, 50)
    assert lines and all(re.search("% of 50 runs, .* s left", i) for i in lines)
    assert damage.endswith("block-1.npy")


def test_noise_has_its_tail_down_to_a_probability_of_1e_8():
    """Float32 uniforms end at 1.2e-7, and hold zeros."""
    beyond_8, beyond_6 = results_of(
        "high_probability", "tail", 1.5, 200_000_000, backend="jax"
    )
    assert 1 <= beyond_8 <= 8
    assert abs(beyond_6 - 200) < 4 * math.sqrt(200)


def test_an_arm_has_at_most_a_million_numbers_and_few_are_long(found):
    arms = found["arms"]
    assert len(arms) <= 40
    longest = [max(steps for *_, steps in a.values()) for a in arms.values()]
    assert sum(steps >= 10_000 for steps in longest) <= 10
    for cases in arms.values():
        assert sum(runs * d for runs, d, _ in cases.values()) <= 1_000_000


def test_every_arm_is_of_a_claim(found):
    used = {arm for claim in CLAIMS.values() for arm in claim.arms}
    assert used == set(found["arms"])


@pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)
def test_a_claim_measures_cases_of_its_arms(found, claim):
    cases = [name for arm in claim.arms for name in found["arms"][arm]]
    assert claim.says and claim.measure and claim.margin and claim.refuted_by
    for test in claim.tests:
        measure = measures.MEASURES[test.measure]
        inspect.signature(measure).bind({}, **test.arguments)
        assert test.low < test.high
        assert set(claims.cases([test])) <= set(cases)
    assert any(not test.control for test in claim.tests)


def test_rmsprop_is_between_a_root_half_and_the_whole_of_its_clipping(found):
    for low, high in found["rmsprop"]:
        assert abs(low - math.sqrt(0.5)) < 1e-4
        assert abs(high - 1) < 1e-12
