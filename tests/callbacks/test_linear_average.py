"""LinearAverage averages what the parameters were before each update."""

import operator

import keras
import numpy as np
import pytest

from keras_clip.callbacks.base_linear_average import moved_average
from tests.support.averaged import Recorder
from tests.support.averaged import assert_averages
from tests.support.averaged import make_average
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.front_ends import both_front_ends
from tests.support.models import data
from tests.support.models import dense_model
from tests.support.models import fit
from tests.support.models import unbuilt_model
from tests.support.refusals import refused
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow


@both_front_ends
def test_average_is_weighted_by_the_number_of_the_update(front_end):
    model = unbuilt_model(front_end, front_end.optimizer("gclip"))
    recorder, average = Recorder(front_end), make_average(front_end)
    fit(model, recorder, average, epochs=2)
    fit(model, recorder, average)
    assert len(recorder.before) == 12
    assert_averages(average, recorder.before)


WRAPS = {
    "alone": lambda front_end, optimizer: optimizer,
    "scaled": lambda front_end, optimizer: front_end.scaled(optimizer, 1024.0),
    "several": lambda front_end, optimizer: keras.optimizers.MultiOptimizer(
        keras.optimizers.OptimizerMap(optimizer)
    ),
}


@pytest.mark.parametrize("wrap", ["alone", "several"])
def test_micro_steps_that_only_accumulate_do_not_count(wrap):
    optimizer = KERAS.optimizer(
        "gclip", learning_rate=0.5, gradient_accumulation_steps=2
    )
    model = dense_model(KERAS, WRAPS[wrap](KERAS, optimizer))
    recorder, average = Recorder(KERAS), make_average(KERAS)
    # The last micro-step begins a sum that is never used.
    on = [array[:24] for array in data()]
    fit(model, recorder, average, on=on, epochs=3)
    befores = recorder.before
    assert len(befores) == 9
    assert same_bits(befores[0], befores[1])
    assert_averages(average, befores[:8:2])


@pytest.mark.parametrize(
    ("front_end", "wrap", "skipped"),
    [
        (KERAS, "alone", 1),
        (KERAS, "scaled", 0),
        (KERAS, "several", 0),
        (KERAS, "several", 3),
        (TF_KERAS, "alone", 0),
        (TF_KERAS, "scaled", 1),
        (TF_KERAS, "scaled", 3),
    ],
)
def test_steps_that_are_skipped_do_not_count(front_end, wrap, skipped):
    optimizer = WRAPS[wrap](front_end, front_end.optimizer("gclip"))
    model = unbuilt_model(front_end, optimizer)
    recorder, average = Recorder(front_end), make_average(front_end)
    x, targets = data()
    x[8 * skipped : 8 * skipped + 8] = np.inf
    fit(model, recorder, average, on=(x, targets))
    befores = recorder.before
    assert same_bits(befores[skipped], recorder.after[skipped])
    del befores[skipped]
    assert_averages(average, befores)


@pytest.mark.parametrize(
    ("front_end", "sgd"),
    [
        (KERAS, "SGD"),
        (TF_KERAS, "SGD"),
        (TF_KERAS, "legacy.SGD"),
    ],
)
def test_average_follows_an_optimizer_of_the_framework_too(front_end, sgd):
    make = operator.attrgetter(sgd)(front_end.framework.optimizers)
    model = unbuilt_model(front_end, make(0.1))
    recorder, average = Recorder(front_end), make_average(front_end)
    fit(model, recorder, average)
    assert len(recorder.before) == 4
    assert_averages(average, recorder.before)


@pytest.mark.parametrize(
    ("front_end", "steps"), [(KERAS, 4), (TF_KERAS, 4), (TF_KERAS, "auto")]
)
def test_several_steps_an_execution_are_refused(front_end, steps):
    model = dense_model(front_end, front_end.optimizer("gclip"))
    model.compile(model.optimizer, "mse", steps_per_execution=steps)
    end = f"Received: steps_per_execution={steps}"
    with refused("`steps_per_execution` must be 1", end):
        fit(model, make_average(front_end))


def test_averages_before_the_first_step_raise():
    with pytest.raises(ValueError, match="`averages` must be read after a st"):
        _ = make_average(KERAS).averages


def test_averages_of_steps_that_were_all_skipped_raise():
    model = dense_model(KERAS, KERAS.optimizer("gclip"))
    average = make_average(KERAS)
    x, targets = data()
    fit(model, average, on=(x * np.nan, targets))
    before = model.get_weights()
    with pytest.raises(ValueError, match="`averages` must be read after a st"):
        average.assign_averages()
    assert same_bits(model.get_weights(), before)


@both_front_ends
def test_averages_can_be_read_during_training(front_end):
    class Reader(front_end.framework.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                assert_averages(average, recorder.before)
                assert_averages(average, recorder.before)

    model = dense_model(front_end, front_end.optimizer("gclip"))
    recorder, average = Recorder(front_end), make_average(front_end)
    fit(model, recorder, average, Reader())
    assert len(recorder.before) == 4
    assert_averages(average, recorder.before)


@both_front_ends
def test_training_that_is_interrupted_is_averaged_to_its_last_update(front_end):
    class Interrupter(front_end.framework.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                raise KeyboardInterrupt

    model = dense_model(front_end, front_end.optimizer("gclip"))
    recorder, average = Recorder(front_end), make_average(front_end)
    with pytest.raises(KeyboardInterrupt):
        fit(model, recorder, average, Interrupter())
    assert len(recorder.before) == 3
    assert_averages(average, recorder.before)
    fit(model, recorder, average)
    assert_averages(average, recorder.before)


def test_average_still_moves_after_ten_million_updates():
    """In float64 it is what it is; in float32 one such step is lost."""
    x = np.random.default_rng(1).normal(1.0, 0.1, size=(1000, 4))
    average, error = np.ones(4, "float32"), np.zeros(4, "float32")
    exact = np.ones(4)
    for k, value in enumerate(np.float32(x), start=10**7):
        weight = np.float32(2 / (k + 1))
        average, error = moved_average(average, error, value, weight)
        exact = exact + 2 / (k + 1) * (value - exact)
    np.testing.assert_allclose(
        np.float64(average) - error - 1, exact - 1, rtol=1e-4
    )
