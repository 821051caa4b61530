"""Sparse gradients are their dense sums, whatever comes after."""

import numpy as np
import pytest
import tensorflow as tf

from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.shared_code import both_kinds
from tests.support.shared_code import every_optimizer_once
from tests.support.shared_code import few_variants_once
from tests.support.trajectories import assert_close
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow

ROWS, WIDTH, STEPS = 6, 3, 5


def _sparse_gradients():
    """Returns pairs of indices and values; every step repeats a row.

    The values are small multiples of 1/4, so that their sums are exact.
    """
    rng = np.random.default_rng(5)
    pairs = []
    for _ in range(STEPS):
        indices = rng.integers(0, ROWS, 4)
        indices = np.append(indices, indices[0])
        values = rng.integers(1, 9, (5, WIDTH)) / 4
        pairs.append((indices, values))
    return pairs


def _dense(indices, values):
    gradient = np.zeros((ROWS, WIDTH))
    np.add.at(gradient, indices, values)
    return gradient


def _slices(indices, values, dtype="float32", shape=(ROWS, WIDTH)):
    return tf.IndexedSlices(
        tf.constant(values, dtype), tf.constant(indices), tf.constant(shape)
    )


def _ends(front_end, name, arguments, dtype="float32"):
    """Returns where sparse gradients lead, and where dense ones do."""
    ends = []
    for make in (
        lambda indices, values: _slices(indices, values, dtype),
        _dense,
    ):
        optimizer = front_end.optimizer(name, **arguments)
        variables = front_end.variables(
            [np.ones((ROWS, WIDTH)), np.ones(2)], dtype
        )
        for pair in _sparse_gradients():
            gradients = [make(*pair), np.array([0.5, -2.0])]
            front_end.apply(optimizer, gradients, variables)
        ends.append(front_end.values(variables) + front_end.state(optimizer))
    return ends


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
    ends = []
    for gradient in (empty, np.zeros((ROWS, WIDTH))):
        optimizer = front_end.optimizer(enrolment.name, learning_rate=0.25)
        variables = front_end.variables([np.ones((ROWS, WIDTH))])
        first = _slices(*_sparse_gradients()[0])
        front_end.apply(optimizer, [first], variables)
        front_end.apply(optimizer, [gradient], variables)
        ends.append(front_end.values(variables) + front_end.state(optimizer))
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
    def dense(gradient):
        front_end.apply(optimizer, [gradient], variables)

    return by_rows, dense


@both_kinds
@both_front_ends
def test_rows_of_an_unknown_number_are_summed_in_a_graph(front_end, enrolment):
    ends = []
    for with_rows in (True, False):
        optimizer = front_end.optimizer(enrolment.name, learning_rate=0.25)
        variables = front_end.variables([np.ones((ROWS, WIDTH))])
        by_rows, dense = _steps_in_a_graph(front_end, optimizer, variables)
        for indices, values in _sparse_gradients():
            if with_rows:
                shape = np.array([ROWS, WIDTH])
                by_rows(values.astype("float32"), indices, shape)
            else:
                dense(_dense(indices, values).astype("float32"))
        ends.append([front_end.values(variables), front_end.state(optimizer)])
    assert same_bits(ends[0][0], ends[1][0])
    assert same_bits(ends[0][1], ends[1][1])


def _embedding_model(framework):
    model = framework.Sequential(
        [
            framework.layers.Input((4,), dtype="int32"),
            framework.layers.Embedding(ROWS, WIDTH, name="embedding"),
            framework.layers.Flatten(),
            framework.layers.Dense(1, name="dense"),
        ]
    )
    rng = np.random.default_rng(6)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


@both_kinds
@both_front_ends
def test_embedding_in_fit_moves_as_by_dense_gradients(front_end, enrolment):
    """Both ways start from the same weights and see the same batches."""
    rng = np.random.default_rng(7)
    tokens = rng.integers(0, ROWS - 1, (20, 4)).astype("int32")
    targets = rng.normal(size=(20, 1)).astype("float32")
    framework = front_end.framework

    fitted = _embedding_model(framework)
    optimizer = front_end.optimizer(enrolment.name, learning_rate=0.125)
    fitted.compile(optimizer=optimizer, loss="mse")
    actual = [fitted.get_weights()]
    for first in range(0, 20, 4):
        batch = slice(first, first + 4)
        fitted.fit(tokens[batch], targets[batch], shuffle=False, verbose=0)
        actual.append(fitted.get_weights())

    stepped = _embedding_model(framework)
    optimizer = front_end.optimizer(enrolment.name, learning_rate=0.125)
    expected = [stepped.get_weights()]
    for first in range(0, 20, 4):
        batch = slice(first, first + 4)
        with tf.GradientTape() as tape:
            error = stepped(tokens[batch]) - targets[batch]
            loss = tf.reduce_mean(tf.square(error))
        variables = stepped.trainable_variables
        sources = [front_end.native(v) for v in variables]
        gradients = tape.gradient(loss, sources)
        assert isinstance(gradients[0], tf.IndexedSlices)
        dense = _dense(gradients[0].indices, gradients[0].values)
        dense = [dense, *(g.numpy() for g in gradients[1:])]
        front_end.apply(optimizer, dense, variables)
        expected.append(stepped.get_weights())
    assert_close(actual, expected, "float32")
