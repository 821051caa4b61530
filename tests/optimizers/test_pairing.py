"""Every variable moves once a step, by a gradient of its own shape."""

import numpy as np
import pytest
import tensorflow as tf

from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.front_ends import both_front_ends
from tests.support.programs.pairing import BUILD_ERRORS
from tests.support.programs.pairing import CLAIMS
from tests.support.programs.pairing import ERRORS
from tests.support.programs.pairing import message
from tests.support.programs.pairing import (
    variable_given_twice_is_moved_by_the_sum,
)
from tests.support.shared_code import both_kinds
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow
# A few steps cost less than a graph of them.
eagerly = pytest.mark.usefixtures("functions_run_eagerly")

every_claim = pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c.__name__)
# That the numbers of gradients and variables differ cannot be seen in pairs.
PAIR_ERRORS = [error for error in ERRORS if error.startswith("a")]


@eagerly
@every_claim
@both_kinds
@both_front_ends
def test_claim_holds(front_end, enrolment, claim):
    assert claim(front_end, enrolment.name)


@eagerly
@pytest.mark.parametrize(
    "arguments",
    [
        {"loss_scale_factor": 8.0},
        {"gradient_accumulation_steps": 2},
        {"use_ema": True, "ema_overwrite_frequency": 2},
    ],
    ids=lambda arguments: ",".join(arguments),
)
@both_kinds
def test_gradients_of_one_variable_are_summed_before_all_else(
    enrolment, arguments
):
    assert variable_given_twice_is_moved_by_the_sum(
        KERAS, enrolment.name, **arguments
    )


@eagerly
@both_front_ends
def test_sparse_gradients_of_one_variable_are_summed(front_end):
    optimizer = front_end.optimizer("cclip", clip_threshold=1.0)
    optimizer.learning_rate = 1.0
    (x,) = front_end.variables([np.zeros((4, 1))])
    one, two = (
        tf.IndexedSlices(
            tf.constant([[0.5], [0.75]]), tf.constant(rows), tf.constant([4, 1])
        )
        for rows in ([0, 1], [1, 3])
    )
    front_end.apply(optimizer, [one, two], [x, x])
    assert front_end.value(x).ravel().tolist() == [-0.5, -1.0, 0.0, -0.75]


@eagerly
@both_kinds
@both_front_ends
def test_rows_without_the_shape_of_all_are_of_their_variable(
    front_end, enrolment
):
    """`tf.IndexedSlices` need no `dense_shape`."""
    ends = []
    values, rows = tf.constant([[1.0], [2.0], [4.0]]), tf.constant([3, 0, 3])
    for shape in (None, tf.constant([5, 1])):
        optimizer = front_end.optimizer(enrolment.name, learning_rate=0.125)
        variables = front_end.variables([np.ones((5, 1)), np.ones(2)])
        for _ in range(2):
            slices = tf.IndexedSlices(values, rows, shape)
            front_end.apply(optimizer, [slices, np.ones(2)], variables)
        ends.append(front_end.values(variables) + front_end.state(optimizer))
    assert same_bits(*ends)


@eagerly
@pytest.mark.parametrize("error", ERRORS)
@both_kinds
def test_gradient_that_fits_no_variable_is_named(enrolment, error):
    assert message(KERAS, enrolment.name, error) == ERRORS[error][-1]


@eagerly
@both_kinds
def test_gradient_that_would_broadcast_is_not_accumulated(enrolment):
    error = "a shape that broadcasts"
    said = message(KERAS, enrolment.name, error, gradient_accumulation_steps=2)
    assert said == ERRORS[error][-1]


@eagerly
@pytest.mark.parametrize("error", PAIR_ERRORS)
@both_kinds
def test_gradient_that_fits_no_variable_is_named_in_tf_keras(enrolment, error):
    expected = ERRORS[error][-1].replace("`grads`", "`grads_and_vars`")
    assert message(TF_KERAS, enrolment.name, error) == expected
    assert {"a complex gradient", *BUILD_ERRORS} < set(PAIR_ERRORS)


@both_front_ends
def test_rows_of_another_width_are_named(front_end):
    optimizer = front_end.optimizer("gclip")
    variables = front_end.variables([np.ones((5, 3))])
    slices = tf.IndexedSlices(tf.ones((2, 1)), tf.constant([0, 1]))
    with pytest.raises(ValueError, match=r"gradient of shape \(5, 1\) for"):
        front_end.apply(optimizer, [slices], variables)


@both_front_ends
def test_shape_that_only_the_graph_learns_is_checked_there(front_end):
    optimizer = front_end.optimizer("gclip", learning_rate=1.0)
    variables = front_end.variables([np.ones(3)])
    optimizer.build(variables)

    @tf.function(input_signature=[tf.TensorSpec([None])])
    def step(gradient):
        front_end.apply(optimizer, [gradient], variables)

    step(tf.constant([0.0, 0.5, 0.0]))
    assert front_end.values(variables)[0].tolist() == [1.0, 0.5, 1.0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="shape"):
        step(tf.constant([1.0]))


def test_gradients_alone_must_be_as_many_as_the_variables_of_the_build():
    optimizer = KERAS.optimizer("gclip")
    optimizer.build(KERAS.variables([np.ones(2), np.ones(2)]))
    with pytest.raises(ValueError, match="1 gradients and 2 variables$"):
        optimizer.apply([KERAS.tensor(np.ones(2))])


@eagerly
@pytest.mark.parametrize("use_ema", [False, True])
@both_kinds
def test_no_pairs_are_no_step_in_tf_keras(enrolment, use_ema):
    """As for the optimizers of tf_keras, built or not."""
    optimizer = TF_KERAS.optimizer(enrolment.name, use_ema=use_ema)
    assert int(optimizer.apply_gradients([])) == 0
    variables = TF_KERAS.variables([np.ones(2)])
    TF_KERAS.apply(optimizer, [np.ones(2)], variables)
    before = TF_KERAS.values(variables) + TF_KERAS.state(optimizer)
    assert int(optimizer.apply_gradients([])) == 1
    after = TF_KERAS.values(variables) + TF_KERAS.state(optimizer)
    assert same_bits(after, before)
