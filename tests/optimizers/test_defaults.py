"""Defaults train small problems about as well as those of Adam do."""

import pytest

from tests.support.enrolment import every_optimizer
from tests.support.problems import PROBLEMS
from tests.support.programs.launch import results_of

pytestmark = pytest.mark.slow

every_problem = pytest.mark.parametrize("problem", PROBLEMS)


@pytest.fixture(scope="module")
def trainings():
    """Losses and median norm of the gradients, by problem and optimizer."""
    return results_of("defaults", backend="jax")


def _decrease(losses):
    before, after = losses
    return before - after


def test_problems_differ_in_the_scale_of_their_gradients(trainings):
    norms = [trainings[problem]["adam"][1] for problem in PROBLEMS]
    assert norms[0] > 10 > 3 > norms[1] > 0.3 > 0.1 > norms[2]


@every_problem
def test_adam_trains_every_problem_with_its_defaults(trainings, problem):
    losses, _ = trainings[problem]["adam"]
    assert _decrease(losses) > 0.75 * losses[0]


@every_problem
@every_optimizer
def test_defaults_lower_the_loss_nine_tenths_as_far_in_as_many_steps(
    trainings, enrolment, problem
):
    losses, _ = trainings[problem][enrolment.name]
    adam, _ = trainings[problem]["adam"]
    assert losses[0] == adam[0]
    assert _decrease(losses) > 0.9 * _decrease(adam)
