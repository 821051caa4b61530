"""Moments of a variable are corrected by how often it was updated."""

import numpy as np
import pytest
import tensorflow as tf

from tests.support.enrolment import ENROLMENTS
from tests.support.enrolment import every_variant
from tests.support.enrolment import few_variants
from tests.support.enrolment.record import Adaptive
from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.gradients import parameters
from tests.support.programs.trajectories import gradients_in_turns
from tests.support.trajectories import assert_close
from tests.support.trajectories import oracle_of
from tests.support.trajectories import oracle_positions
from tests.support.trajectories import positions
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.filterwarnings("ignore:Gradients do not exist")

# Of a size at which variables are updated together by a compiled function.
LARGE = ((200, 100), (150, 101), (7,))


# Of each kind of moment that is corrected one, for the checks that cost more.
corrected_variants = pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("acclip", "alpha=1.5,threshold,corrected"),
        ("cclip", "adaptive,alpha=1.5,momentum,decay"),
        ("clip_adam_norm", "threshold,corrected,decay"),
        ("clip_adam", "defaults"),
        ("clip_adam", "layer,adaptive,delay=1,decay"),
    ],
)


def _arguments(enrolment, variant, **others):
    """Returns the arguments of a variant, without the projection.

    That is of the variables of a step: those without a gradient stay.
    """
    arguments = {**enrolment.variants[variant], **others}
    if "projection_radius" in arguments:
        arguments["projection_radius"] = None
    return arguments


@every_variant
@both_front_ends
def test_variables_that_take_turns_or_join_late_move_as_the_oracle(
    front_end, enrolment, variant
):
    arguments = _arguments(enrolment, variant)
    gradients = gradients_in_turns()
    expected = oracle_positions(enrolment, arguments, parameters(), gradients)
    optimizer = front_end.optimizer(enrolment.name, **arguments)
    actual = positions(front_end, optimizer, parameters(), gradients, "float64")
    assert_close(actual, expected, "float64")


@corrected_variants
@both_front_ends
def test_large_variables_in_turns_move_as_the_oracle(front_end, name, variant):
    enrolment = ENROLMENTS[name]
    arguments = _arguments(enrolment, variant, learning_rate=0.125)
    gradients = gradients_in_turns(LARGE)[6:12]
    x = parameters(LARGE)
    expected = oracle_positions(enrolment, arguments, x, gradients)
    optimizer = front_end.optimizer(enrolment.name, **arguments)
    actual = positions(front_end, optimizer, x, gradients, "float64")
    assert_close(actual, expected, "float64")


@pytest.mark.parametrize("jit_compile", [False, True])
@corrected_variants
@both_front_ends
def test_variables_in_turns_move_alike_in_a_graph(
    front_end, name, variant, jit_compile
):
    enrolment = ENROLMENTS[name]
    arguments = _arguments(enrolment, variant)
    optimizer = front_end.optimizer(enrolment.name, **arguments)
    variables = front_end.variables(parameters(), "float64")
    optimizer.build(variables)

    @tf.function(jit_compile=jit_compile)
    def step(gradients):
        front_end.apply(optimizer, gradients, variables)

    oracle, rate_at = oracle_of(enrolment, arguments, parameters())
    actual, expected = [parameters()], [parameters()]
    for index, gradient in enumerate(gradients_in_turns()):
        step(
            [
                g if g is None else front_end.tensor(g, "float64")
                for g in gradient
            ]
        )
        actual.append(front_end.values(variables))
        expected.append(oracle.step(gradient, rate_at(index)))
    assert_close(actual, expected, "float64")


@pytest.mark.parametrize(
    ("name", "clipping"),
    [
        ("clip_adam", {"clipping": "layer"}),
        ("clip_adam", {"clipping": "coordinate"}),
        ("clip_adagrad", {"clipping": "layer", "delay": 1}),
        ("cclip", {}),
    ],
)
@both_front_ends
def test_threshold_of_variables_in_turns_is_their_norm(
    front_end, name, clipping
):
    """Of norms that are always 1 the corrected moment is 1; it clips at 1.5."""
    optimizer = front_end.optimizer(
        name, clip_threshold=Adaptive(1.5), monitor=True, **clipping
    )
    variables = front_end.variables([np.zeros(1), np.zeros(1)])
    optimizer.build(variables)
    for step in range(6):
        gradients = [np.array([1.0]), np.array([1.0])]
        gradients[step % 2] = None
        front_end.apply(optimizer, gradients, variables)
    assert float(optimizer.clip_total) == 0
    assert front_end.value(optimizer.missed_updates).tolist() == [3, 3]


@both_front_ends
def test_step_of_a_variable_in_turns_is_as_long_as_its_threshold(front_end):
    """SGD by gradients of 1 at thresholds of 1: steps of 1."""
    optimizer = front_end.optimizer(
        "cclip", learning_rate=1.0, clip_threshold=Adaptive()
    )
    x, y = front_end.variables([np.zeros(1), np.zeros(1)])
    for step in range(8):
        one = [np.ones(1), None] if step % 2 else [None, np.ones(1)]
        front_end.apply(optimizer, one, [x, y])
        moved = front_end.value(x if step % 2 else y)
        np.testing.assert_allclose(moved, [-(step // 2 + 1)], rtol=1e-6)


@both_front_ends
def test_threshold_of_a_variable_that_joins_late_is_its_norm(front_end):
    optimizer = front_end.optimizer(
        "cclip", learning_rate=1.0, clip_threshold=Adaptive()
    )
    variables = front_end.variables([np.zeros(1), np.zeros(1)])
    optimizer.build(variables)
    for _ in range(100):
        front_end.apply(optimizer, [np.array([0.125]), None], variables)
    front_end.apply(optimizer, [None, np.array([8.0])], variables)
    late = front_end.value(variables[1])
    np.testing.assert_allclose(late, [-8.0], rtol=1e-6)


@both_front_ends
def test_first_corrected_step_of_acclip_is_whole_however_late(front_end):
    """`lr · ĝ / √(β2 v̂)` with `ĝ = m̂ = √v̂`: `lr / √β2` but for epsilon."""
    optimizer = front_end.optimizer(
        "acclip", learning_rate=0.1, bias_correction=True, weight_decay=None
    )
    variables = front_end.variables([np.zeros(1), np.zeros(1)])
    optimizer.build(variables)
    for _ in range(100):
        front_end.apply(optimizer, [np.array([1.0]), None], variables)
    front_end.apply(optimizer, [None, np.array([2.0])], variables)
    late = front_end.value(variables[1])
    np.testing.assert_allclose(late, [-0.1 / np.sqrt(0.99)], rtol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "missed"),
    [
        # By layer the variable is skipped, by coordinate only the coordinate.
        ({"clipping": "layer"}, [1, 0]),
        ({"clipping": "coordinate"}, [0, 0]),
        ({"clipping": "coordinate", "clipnorm": 1.0}, [1, 0]),
        ({"clipping": "coordinate", "clip_threshold": Adaptive()}, [1, 0]),
        ({"clipping": "layer", "nonfinite": "propagate"}, [0, 0]),
        # Globally the step is, and there is no update that one could miss.
        ({}, [0, 0]),
        ({"clipping": "layer", "global_clipnorm": 1.0}, [0, 0]),
    ],
    ids=str,
)
@both_front_ends
def test_update_in_which_a_variable_is_skipped_whole_is_missed(
    front_end, arguments, missed
):
    optimizer = front_end.optimizer("clip_adam", **arguments)
    variables = front_end.variables([np.zeros(2), np.zeros(2)])
    bad = [np.array([np.nan, 1.0]), np.ones(2)]
    front_end.apply(optimizer, bad, variables)
    counted = front_end.value(optimizer.missed_updates)
    assert counted.tolist() == missed
    whole = not arguments or "global_clipnorm" in arguments
    assert int(optimizer.update_count) == (0 if whole else 1)


@both_front_ends
def test_skipped_step_is_missed_by_no_one(front_end):
    """Nor by those that it does not name."""
    optimizer = front_end.optimizer("clip_adam")
    variables = front_end.variables([np.zeros(2), np.zeros(2)])
    optimizer.build(variables)
    front_end.apply(optimizer, [np.full(2, np.nan), None], variables)
    assert front_end.value(optimizer.missed_updates).tolist() == [0, 0]
    front_end.apply(optimizer, [np.ones(2), None], variables)
    assert front_end.value(optimizer.missed_updates).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("name", "arguments", "counted"),
    [
        ("acclip", {}, False),
        ("acclip", {"bias_correction": True}, True),
        ("gclip", {"clip_threshold": Adaptive()}, False),
        ("cclip", {}, False),
        ("cclip", {"clip_threshold": Adaptive()}, True),
        ("clip_adam", {}, True),
        ("clip_adam", {"delay": 1}, False),
        ("clip_adam_norm", {"bias_correction": True}, True),
        ("clip_adam_norm", {"bias_correction": True, "beta_1": 0.0}, False),
        ("clip_adagrad_norm", {"bias_correction": True}, False),
        ("clip_adagrad", {"clipping": "layer"}, False),
    ],
)
@both_front_ends
def test_updates_are_counted_by_variable_where_moments_are_corrected(
    front_end, name, arguments, counted
):
    optimizer = front_end.optimizer(name, **arguments)
    optimizer.build(front_end.variables([np.zeros(2)]))
    assert (optimizer.missed_updates is not None) is counted


@few_variants
def test_accumulated_gradients_of_variables_in_turns_are_counted_once(
    enrolment, variant
):
    """Two equal micro-batches are one batch, also for those without any."""
    ends = []
    for steps in (None, 2):
        arguments = _arguments(
            enrolment,
            variant,
            learning_rate=0.125,
            gradient_accumulation_steps=steps,
        )
        optimizer = KERAS.optimizer(enrolment.name, **arguments)
        variables = KERAS.variables(parameters(), "float64")
        optimizer.build(variables)
        for gradient in gradients_in_turns()[:9]:
            for _ in range(steps or 1):
                KERAS.apply(optimizer, gradient, variables)
        ends.append(KERAS.values(variables))
    assert same_bits(*ends)
