"""Variables in turns that are updated together, in graphs and under XLA."""

import pytest
import tensorflow as tf

from tests.support.enrolment import ENROLMENTS
from tests.support.enrolment import every_optimizer
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.gradients import parameters
from tests.support.programs.trajectories import gradients_in_turns
from tests.support.trajectories import assert_close
from tests.support.trajectories import assert_moves_as_the_oracle
from tests.support.trajectories import oracle_of
from tests.support.trajectories import same_bits
from tests.support.trajectories import without_projection

pytestmark = pytest.mark.slow

# Of a size at which variables are updated together by a compiled function.
LARGE = ((200, 100), (150, 101), (7,))


# Of each kind of moment that is corrected one, for the checks that cost more.
CORRECTED = (
    ("acclip", "alpha=1.5,threshold,corrected"),
    ("clip_adam", "layer,adaptive,delay=1,decay"),
    ("cclip", "adaptive,alpha=1.5,momentum,decay"),
    ("clip_adam_norm", "threshold,corrected,decay"),
    ("clip_adam", "defaults"),
)
corrected_variants = pytest.mark.parametrize(
    ("front_end", "name", "variant"),
    [
        *((KERAS, *case) for case in CORRECTED),
        *((TF_KERAS, *case) for case in CORRECTED[:2]),
    ],
)


@corrected_variants
def test_large_variables_in_turns_move_as_the_oracle(front_end, name, variant):
    enrolment = ENROLMENTS[name]
    arguments = {
        **without_projection(enrolment.variants[variant]),
        "learning_rate": 0.125,
    }
    gradients, x = gradients_in_turns(LARGE)[6:12], parameters(LARGE)
    assert_moves_as_the_oracle(front_end, enrolment, arguments, gradients, x)


@corrected_variants
def test_variables_in_turns_move_alike_in_a_graph(front_end, name, variant):
    """Compiled as a whole on Keras 3, and not on tf_keras."""
    enrolment = ENROLMENTS[name]
    arguments = without_projection(enrolment.variants[variant])
    optimizer = front_end.optimizer(enrolment.name, **arguments)
    variables = front_end.variables(parameters(), "float64")
    optimizer.build(variables)

    @tf.function(jit_compile=front_end is KERAS)
    def step(gradients):
        front_end.apply(optimizer, gradients, variables)

    oracle, rate_at = oracle_of(enrolment, arguments, parameters())
    actual, expected = [parameters()], [parameters()]
    for index, gradient in enumerate(gradients_in_turns()[4:9]):
        step(
            [
                g if g is None else front_end.tensor(g, "float64")
                for g in gradient
            ]
        )
        actual.append(front_end.values(variables))
        expected.append(oracle.step(gradient, rate_at(index)))
    assert_close(actual, expected, "float64")


@pytest.mark.usefixtures("functions_run_eagerly")
@every_optimizer
def test_accumulated_gradients_of_variables_in_turns_are_counted_once(
    enrolment,
):
    """Two equal micro-batches are one batch, also for those without any."""
    ends = []
    for steps in (None, 2):
        arguments = {
            **without_projection(enrolment.variants[enrolment.few[-1]]),
            "learning_rate": 0.125,
            "gradient_accumulation_steps": steps,
        }
        optimizer = KERAS.optimizer(enrolment.name, **arguments)
        variables = KERAS.variables(parameters(), "float64")
        optimizer.build(variables)
        for gradient in gradients_in_turns()[:9]:
            for _ in range(steps or 1):
                KERAS.apply(optimizer, gradient, variables)
        ends.append(KERAS.values(variables))
    assert same_bits(*ends)
