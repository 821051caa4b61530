"""Sparse gradients are their dense sums, whatever comes after."""

import numpy as np
import pytest
import tensorflow as tf

from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.programs.replicated import embedding_model
from tests.support.programs.replicated import tokens_and_targets
from tests.support.programs.sparse import ROWS
from tests.support.programs.sparse import WIDTH
from tests.support.programs.sparse import dense
from tests.support.programs.sparse import pairs
from tests.support.shared_code import both_kinds
from tests.support.shared_code import every_optimizer_once
from tests.support.shared_code import few_variants_once
from tests.support.trajectories import assert_close
from tests.support.trajectories import end
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow


def _slices(indices, values, dtype="float32"):
    return tf.IndexedSlices(
        tf.constant(values, dtype),
        tf.constant(indices),
        tf.constant((ROWS, WIDTH)),
    )


def _ends(front_end, name, arguments, dtype="float32"):
    """Returns where sparse gradients lead, and where dense ones do."""
    x, other = [np.ones((ROWS, WIDTH)), np.ones(2)], np.array([0.5, -2.0])
    return [
        end(front_end, name, arguments, gradients, x, dtype)
        for gradients in (
            [[_slices(*pair, dtype), other] for pair in pairs()],
            [[dense(*pair), other] for pair in pairs()],
        )
    ]


@pytest.mark.usefixtures("functions_run_eagerly")
@few_variants_once
def test_sparse_rows_with_duplicates_equal_dense_gradients(
    front_end, enrolment, variant
):
    arguments = enrolment.variants[variant]
    assert same_bits(*_ends(front_end, enrolment.name, arguments))


@pytest.mark.parametrize(
    "arguments",
    [
        {"clipnorm": 1.0},
        {"clipvalue": 0.75},
        {"global_clipnorm": 1.0, "monitor": True},
        {"use_ema": True, "ema_overwrite_frequency": 2},
    ],
    ids=lambda arguments: ",".join(arguments),
)
@pytest.mark.usefixtures("functions_run_eagerly")
@both_kinds
@both_front_ends
def test_duplicates_are_summed_before_keras_clips(
    front_end, enrolment, arguments
):
    arguments = {"learning_rate": 0.25, **arguments}
    assert same_bits(*_ends(front_end, enrolment.name, arguments, "float64"))


@pytest.mark.parametrize(
    "arguments",
    [
        {"loss_scale_factor": 8.0},
        {"gradient_accumulation_steps": 2},
        {"loss_scale_factor": 8.0, "gradient_accumulation_steps": 2},
    ],
    ids=lambda arguments: ",".join(arguments),
)
@pytest.mark.usefixtures("functions_run_eagerly")
@both_kinds
def test_sparse_gradients_are_unscaled_and_accumulated(enrolment, arguments):
    arguments = {"learning_rate": 0.25, **arguments}
    ends = _ends(KERAS, enrolment.name, arguments)
    assert np.any(ends[0][0] != 1)
    assert same_bits(*ends)


@pytest.mark.usefixtures("functions_run_eagerly")
@every_optimizer_once
def test_gradient_without_rows_is_a_zero_gradient(front_end, enrolment):
    empty = _slices(np.zeros(0, np.int64), np.zeros((0, WIDTH)))
    first, arguments = _slices(*next(pairs())), {"learning_rate": 0.25}
    ends = [
        end(
            front_end,
            enrolment.name,
            arguments,
            [[first], [gradient]],
            [np.ones((ROWS, WIDTH))],
        )
        for gradient in (empty, np.zeros((ROWS, WIDTH)))
    ]
    assert same_bits(*ends)


def _steps_in_a_graph(front_end, optimizer, variables):
    """Returns a step whose graph knows no number of rows, by rows or dense."""
    optimizer.build(variables)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, WIDTH]),
            tf.TensorSpec([None], tf.int64),
            tf.TensorSpec([2], tf.int64),
        ]
    )
    def by_rows(values, indices, shape):
        gradient = tf.IndexedSlices(values, indices, shape)
        front_end.apply(optimizer, [gradient], variables)

    @tf.function(input_signature=[tf.TensorSpec([ROWS, WIDTH])])
    def whole(gradient):
        front_end.apply(optimizer, [gradient], variables)

    return by_rows, whole


@both_kinds
@both_front_ends
def test_rows_of_an_unknown_number_are_summed_in_a_graph(front_end, enrolment):
    ends = []
    for with_rows in (True, False):
        optimizer = front_end.optimizer(enrolment.name, learning_rate=0.25)
        variables = front_end.variables([np.ones((ROWS, WIDTH))])
        by_rows, whole = _steps_in_a_graph(front_end, optimizer, variables)
        for indices, values in pairs():
            if with_rows:
                shape = np.array([ROWS, WIDTH])
                by_rows(values.astype("float32"), indices, shape)
            else:
                whole(dense(indices, values))
        ends.append(front_end.values(variables) + front_end.state(optimizer))
    assert same_bits(*ends)


@both_kinds
@both_front_ends
def test_embedding_in_fit_moves_as_by_dense_gradients(front_end, enrolment):
    """Both ways start from the same weights and see the same batches."""
    tokens, targets = tokens_and_targets()
    fitted, stepped = (
        embedding_model(
            front_end, front_end.optimizer(enrolment.name, learning_rate=0.125)
        )
        for _ in range(2)
    )
    variables = stepped.trainable_variables
    actual, expected = [fitted.get_weights()], [stepped.get_weights()]
    for first in range(0, 20, 4):
        batch = slice(first, first + 4)
        fitted.fit(tokens[batch], targets[batch], shuffle=False, verbose=0)
        actual.append(fitted.get_weights())
        with tf.GradientTape() as tape:
            error = stepped(tokens[batch]) - targets[batch]
            loss = tf.reduce_mean(tf.square(error))
        sources = [front_end.native(v) for v in variables]
        rows, *others = tape.gradient(loss, sources)
        assert isinstance(rows, tf.IndexedSlices)
        total = dense(rows.indices, rows.values)
        front_end.apply(stepped.optimizer, [total, *others], variables)
        expected.append(stepped.get_weights())
    assert_close(actual, expected, "float32")
