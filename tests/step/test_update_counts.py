"""Moments of a variable are corrected by how often it was updated."""

import numpy as np
import pytest

from tests.support.enrolment import every_variant
from tests.support.enrolment.record import Adaptive
from tests.support.front_ends import KERAS
from tests.support.programs.trajectories import gradients_in_turns
from tests.support.trajectories import assert_moves_as_the_oracle
from tests.support.trajectories import without_projection

pytestmark = pytest.mark.filterwarnings("ignore:Gradients do not exist")


def _built(name, size=1, **arguments):
    """Returns an optimizer and the two variables that it was built for."""
    optimizer = KERAS.optimizer(name, **arguments)
    variables = KERAS.variables([np.zeros(size), np.zeros(size)])
    optimizer.build(variables)
    return optimizer, variables


@every_variant
def test_variables_that_take_turns_or_join_late_move_as_the_oracle(
    enrolment, variant
):
    arguments = without_projection(enrolment.variants[variant])
    assert_moves_as_the_oracle(
        KERAS, enrolment, arguments, gradients_in_turns()
    )


@pytest.mark.parametrize(
    ("name", "clipping"),
    [
        ("clip_adam", {"clipping": "layer"}),
        ("clip_adam", {"clipping": "coordinate"}),
        ("clip_adagrad", {"clipping": "layer", "delay": 1}),
        ("cclip", {}),
    ],
)
def test_threshold_of_variables_in_turns_is_their_norm(name, clipping):
    """Of norms that are always 1 the corrected moment is 1; it clips at 1.5."""
    optimizer, variables = _built(
        name, clip_threshold=Adaptive(1.5), monitor=True, **clipping
    )
    for step in range(6):
        gradients = [np.array([1.0]), np.array([1.0])]
        gradients[step % 2] = None
        KERAS.apply(optimizer, gradients, variables)
    assert float(optimizer.clip_total) == 0
    assert KERAS.value(optimizer.missed_updates).tolist() == [3, 3]


def test_step_of_a_variable_in_turns_is_as_long_as_its_threshold():
    """SGD by gradients of 1 at thresholds of 1: steps of 1."""
    optimizer, variables = _built(
        "cclip", learning_rate=1.0, clip_threshold=Adaptive()
    )
    for step in range(8):
        gradients = [None, None]
        gradients[step % 2] = np.ones(1)
        KERAS.apply(optimizer, gradients, variables)
        moved = KERAS.value(variables[step % 2])
        np.testing.assert_allclose(moved, [-(step // 2 + 1)], rtol=1e-6)


def test_threshold_of_a_variable_that_joins_late_is_its_norm():
    optimizer, variables = _built(
        "cclip", learning_rate=1.0, clip_threshold=Adaptive()
    )
    for _ in range(100):
        KERAS.apply(optimizer, [np.array([0.125]), None], variables)
    KERAS.apply(optimizer, [None, np.array([8.0])], variables)
    late = KERAS.value(variables[1])
    np.testing.assert_allclose(late, [-8.0], rtol=1e-6)


def test_first_corrected_step_of_acclip_is_whole_however_late():
    """`lr · ĝ / √(β2 v̂)` with `ĝ = m̂ = √v̂`: `lr / √β2` but for epsilon."""
    optimizer, variables = _built(
        "acclip", learning_rate=0.1, bias_correction=True, weight_decay=None
    )
    for _ in range(100):
        KERAS.apply(optimizer, [np.array([1.0]), None], variables)
    KERAS.apply(optimizer, [None, np.array([2.0])], variables)
    late = KERAS.value(variables[1])
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
def test_update_in_which_a_variable_is_skipped_whole_is_missed(
    arguments, missed
):
    optimizer, variables = _built("clip_adam", 2, **arguments)
    bad = [np.array([np.nan, 1.0]), np.ones(2)]
    KERAS.apply(optimizer, bad, variables)
    counted = KERAS.value(optimizer.missed_updates)
    assert counted.tolist() == missed
    whole = not arguments or "global_clipnorm" in arguments
    assert int(optimizer.update_count) == (0 if whole else 1)


def test_skipped_step_is_missed_by_no_one():
    """Nor by those that it does not name."""
    optimizer, variables = _built("clip_adam", 2)
    KERAS.apply(optimizer, [np.full(2, np.nan), None], variables)
    assert KERAS.value(optimizer.missed_updates).tolist() == [0, 0]
    KERAS.apply(optimizer, [np.ones(2), None], variables)
    assert KERAS.value(optimizer.missed_updates).tolist() == [0, 1]


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
def test_updates_are_counted_by_variable_where_moments_are_corrected(
    name, arguments, counted
):
    optimizer, _ = _built(name, **arguments)
    assert (optimizer.missed_updates is not None) is counted
