"""LinearAverage counts the steps of the optimizer that a model trains with."""

import pytest
import tensorflow as tf

from tests.support.averaged import Recorder
from tests.support.averaged import assert_averages
from tests.support.averaged import make_average
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.front_ends import both_front_ends
from tests.support.models import dense_model
from tests.support.models import fit
from tests.support.own_steps import model_of_two_optimizers
from tests.support.own_steps import model_with_own_step
from tests.support.refusals import refused
from tests.support.trajectories import same_bits

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("functions_run_eagerly"),
]


START = "`optimizer` must be the optimizer that the mo"


@both_front_ends
def test_average_counts_the_steps_of_the_optimizer_that_it_is_given(front_end):
    own = front_end.optimizer("gclip")
    model = model_with_own_step(front_end, own)
    recorder = Recorder(front_end)
    average = make_average(front_end, optimizer=own)
    fit(model, recorder, average, epochs=2)
    fit(model, recorder, average)
    assert len(recorder.before) == 12
    assert_averages(average, recorder.before)


@both_front_ends
def test_average_is_of_the_variables_of_the_optimizer_that_it_is_given(
    front_end,
):
    """The first optimizer steps always, the second at every other step."""
    optimizers = [front_end.optimizer("gclip") for _ in range(2)]
    averages = [make_average(front_end, optimizer=each) for each in optimizers]
    model = model_of_two_optimizers(front_end, *optimizers)
    recorder = Recorder(front_end)
    fit(model, recorder, *averages, epochs=2)
    befores = recorder.before
    assert len(befores) == 8
    assert same_bits(befores[1][2:], befores[2][2:])
    assert_averages(averages[0], [weights[:2] for weights in befores])
    assert_averages(averages[1], [weights[2:] for weights in befores[::2]])
    last = model.get_weights()
    averages[1].assign_averages()
    assert same_bits(model.get_weights()[:2], last[:2])
    assert same_bits(model.get_weights()[2:], averages[1].averages)


@pytest.mark.parametrize(
    ("front_end", "compiled", "batch_size"),
    [
        (KERAS, "rmsprop", 8),
        (KERAS, "gclip", 32),
        (KERAS, "built", 8),
        (TF_KERAS, "rmsprop", 32),
        (TF_KERAS, "gclip", 8),
        (TF_KERAS, "built", 32),
    ],
)
def test_parameters_that_another_optimizer_moves_are_refused(
    front_end, compiled, batch_size
):
    """Be it that of the default, one of this package, or one that is built."""
    optimizer = compiled
    if compiled != "rmsprop":
        optimizer = front_end.optimizer("gclip")
    model = model_with_own_step(
        front_end, front_end.optimizer("gclip"), optimizer
    )
    if compiled == "built":
        optimizer.build(model.trainable_variables)
    recorder, average = Recorder(front_end), make_average(front_end)
    with refused(START, f"Received: optimizer={model.optimizer!r}"):
        fit(model, recorder, average, batch_size=batch_size)
    # At the second step, or at the end.
    assert len(recorder.after) == 1


@both_front_ends
def test_optimizer_that_is_given_and_moves_nothing_is_refused(front_end):
    model = model_with_own_step(front_end, front_end.optimizer("gclip"))
    other = front_end.optimizer("gclip")
    other.build(model.trainable_variables)
    with refused(START, ""):
        fit(model, make_average(front_end, optimizer=other))


@both_front_ends
def test_averages_of_an_optimizer_without_a_step_raise(front_end):
    model = model_with_own_step(front_end, front_end.optimizer("gclip"))
    average = make_average(front_end, optimizer=front_end.optimizer("gclip"))
    with pytest.raises(ValueError, match=f"^{START}.*no step in an epoch"):
        fit(model, average)
    last = model.get_weights()
    with pytest.raises(ValueError, match="`averages` must be read after a st"):
        average.assign_averages()
    assert same_bits(model.get_weights(), last)


@both_front_ends
def test_optimizer_of_another_model_is_refused(front_end):
    model = dense_model(front_end, front_end.optimizer("gclip"))
    other = dense_model(front_end, front_end.optimizer("gclip"))
    fit(other)
    average = make_average(front_end, optimizer=other.optimizer)
    start = "`optimizer` must train variables of the model."
    with refused(start, f"Received: optimizer={other.optimizer!r}"):
        fit(model, average)


@both_front_ends
def test_model_without_an_optimizer_is_refused_when_training_starts(front_end):
    own = front_end.optimizer("gclip")
    model = model_with_own_step(front_end, own)
    # As a `compile` of the model's own may leave it.
    model.optimizer = None
    start = "`optimizer` must be given for a model"
    with refused(start, "Received: optimizer=None"):
        fit(model, make_average(front_end))
    recorder = Recorder(front_end)
    average = make_average(front_end, optimizer=own)
    fit(model, average, recorder)
    assert_averages(average, recorder.before)


@pytest.mark.parametrize("optimizer", ["sgd", [], 0.1], ids=repr)
@both_front_ends
def test_optimizer_that_is_none_is_refused_at_once(front_end, optimizer):
    with refused(
        "`optimizer` must be one optimizer or None; use a callback for each "
        f"of several. Received: optimizer={optimizer!r}"
    ):
        make_average(front_end, optimizer=optimizer)


@both_front_ends
def test_several_updates_a_batch_are_refused_after_an_epoch(front_end):
    """As `steps_per_execution` is: an average would be of a part of them."""
    optimizer = front_end.optimizer("gclip")

    class Twice(front_end.framework.Model):
        def train_step(self, data):
            variables = self.trainable_variables
            for _ in range(2):
                gradients = [tf.ones(v.shape) for v in variables]
                front_end.apply(optimizer, gradients, variables)
            return {"loss": tf.constant(0.0)}

    inputs = front_end.framework.Input((3,))
    model = Twice(inputs, front_end.framework.layers.Dense(2)(inputs))
    model.compile(loss="mse")
    average = make_average(front_end, optimizer=optimizer)
    start = "`optimizer` must make at most one update per batch"
    with refused(start, "Received: 2 updates in a batch"):
        fit(model, average, epochs=3)
