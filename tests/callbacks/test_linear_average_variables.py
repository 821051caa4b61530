"""LinearAverage begins anew where another optimizer or other weights train."""

import pytest

from tests.support.averaged import Recorder
from tests.support.averaged import assert_averages
from tests.support.averaged import make_average
from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.models import dense_model
from tests.support.models import fit
from tests.support.shared_code import every_case
from tests.support.trajectories import same_bits

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("functions_run_eagerly"),
]


def _compile(front_end, model):
    model.compile(optimizer=front_end.optimizer("gclip"), loss="mse")


def _model(front_end):
    return dense_model(front_end, front_end.optimizer("gclip"))


@both_front_ends
@pytest.mark.parametrize("layer", [0, 1])
def test_layers_frozen_between_trainings_begin_another_average(
    front_end, layer
):
    model = _model(front_end)
    average = make_average(front_end)
    fit(model, average)
    model.layers[layer].trainable = False
    _compile(front_end, model)
    recorder = Recorder(front_end)
    fit(model, average, recorder)
    trained = slice(2, 4) if layer == 0 else slice(0, 2)
    befores = [weights[trained] for weights in recorder.before]
    assert_averages(average, befores)
    frozen = model.layers[layer].get_weights()
    average.assign_averages()
    assert same_bits(model.layers[layer].get_weights(), frozen)
    assert same_bits(model.get_weights()[trained], average.averages)


@both_front_ends
def test_layers_frozen_after_training_get_the_average_too(front_end):
    model = _model(front_end)
    average = make_average(front_end)
    fit(model, average)
    model.layers[0].trainable = False
    _compile(front_end, model)
    average.assign_averages()
    assert same_bits(model.get_weights(), average.averages)


@both_front_ends
def test_second_compile_begins_another_average(front_end):
    model = _model(front_end)
    average = make_average(front_end)
    fit(model, average)
    _compile(front_end, model)
    recorder = Recorder(front_end)
    fit(model, average, recorder)
    assert len(recorder.before) == 4
    assert_averages(average, recorder.before)


@both_front_ends
def test_compiling_with_the_same_optimizer_goes_on_with_the_average(front_end):
    model = _model(front_end)
    recorder, average = Recorder(front_end), make_average(front_end)
    fit(model, average, recorder)
    model.compile(optimizer=model.optimizer, loss="mse")
    fit(model, average, recorder)
    assert len(recorder.before) == 8
    assert_averages(average, recorder.before)


@both_front_ends
def test_steps_before_the_callback_or_without_it_are_not_in_the_average(
    front_end,
):
    model = _model(front_end)
    recorder, average = Recorder(front_end), make_average(front_end)
    fit(model, epochs=2)
    fit(model, average, recorder)
    fit(model, epochs=3)
    fit(model, average, recorder)
    assert len(recorder.before) == 8
    assert_averages(average, recorder.before)


@both_front_ends
def test_optimizer_restored_as_training_starts_is_counted_from_there(
    front_end,
):
    class Restorer(front_end.framework.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.model.optimizer.build(self.model.trainable_variables)
            self.model.optimizer.update_count.assign(100)

    recorder, average = Recorder(front_end), make_average(front_end)
    fit(_model(front_end), average, Restorer(), recorder)
    assert len(recorder.before) == 4
    assert_averages(average, recorder.before)


@both_front_ends
def test_another_model_begins_another_average(front_end):
    first, second = _model(front_end), _model(front_end)
    average, recorder = make_average(front_end), Recorder(front_end)
    fit(first, average, epochs=2)
    of_first = first.get_weights()
    fit(second, average, recorder)
    assert_averages(average, recorder.before)
    average.assign_averages()
    assert same_bits(first.get_weights(), of_first)
    assert same_bits(second.get_weights(), average.averages)


def _sequential(front_end):
    layers = front_end.framework.layers
    return front_end.framework.Sequential(
        [layers.Dense(4, activation="tanh"), layers.Dense(2)]
    )


def _subclassed(front_end, built=()):
    layers = front_end.framework.layers

    class Subclassed(front_end.framework.Model):
        def __init__(self):
            super().__init__()
            self.first = layers.Dense(4, activation="tanh")
            self.second = layers.Dense(2)
            if built:
                self.first.build(built)

        def call(self, inputs):
            return self.second(self.first(inputs))

    return Subclassed()


UNBUILT = {
    "sequential": _sequential,
    "subclassed": _subclassed,
    "built in part": lambda front_end: _subclassed(front_end, (None, 3)),
}


@pytest.mark.parametrize("make", UNBUILT.values(), ids=UNBUILT)
@both_front_ends
def test_model_built_by_its_first_step_is_averaged_from_what_that_one_leaves(
    front_end, make
):
    model = make(front_end)
    _compile(front_end, model)
    recorder, average = Recorder(front_end), make_average(front_end)
    fit(model, average, recorder, epochs=2)
    assert len(recorder.after) == 8
    assert_averages(average, recorder.after[:-1])
    average.assign_averages()
    assert same_bits(model.get_weights(), average.averages)


@every_case(
    "make",
    {name: (make,) for name, make in UNBUILT.items()},
    ["built in part"],
)
def test_single_step_that_builds_the_model_has_no_average(front_end, make):
    model = make(front_end)
    _compile(front_end, model)
    average = make_average(front_end)
    fit(model, average, batch_size=32)
    with pytest.raises(ValueError, match="`averages` must be read after"):
        _ = average.averages
    # The next training has what this one has built.
    recorder = Recorder(front_end)
    fit(model, average, recorder)
    assert_averages(average, recorder.before)


def test_single_step_of_a_model_with_its_variables_has_an_average():
    model = _model(KERAS)
    before = model.get_weights()
    average = make_average(KERAS)
    fit(model, average, batch_size=32)
    assert same_bits(average.averages, before)
