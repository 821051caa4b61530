"""LinearAverage averages what the parameters were before each update."""

import numpy as np
import pytest

from tests.front_ends import KERAS
from tests.front_ends import both_front_ends
from tests.models import data
from tests.models import dense_model
from tests.programs import averaging
from tests.programs.launch import run_program
from tests.trajectories import same_bits


def _callback(front_end):
    if front_end is KERAS:
        from keras_clip import callbacks
    else:
        from keras_clip.tf_keras import callbacks
    return callbacks.LinearAverage()


def _fit(front_end, model, callbacks, batch_size=8, epochs=1, **inputs):
    x, targets = data()
    model.fit(
        inputs.get("x", x),
        targets,
        batch_size=batch_size,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=callbacks,
    )


class _Recorder:
    """Makes a callback that keeps the weights before every batch."""

    def __new__(cls, front_end):
        class Recorder(front_end.framework.callbacks.Callback):
            def __init__(self):
                super().__init__()
                self.before = []

            def on_train_batch_begin(self, batch, logs=None):
                weights = self.model.get_weights()
                self.before.append([np.array(w, "float64") for w in weights])

        return Recorder()


def _expected(befores):
    weights = np.arange(1, len(befores) + 1)
    return [
        np.tensordot(weights, np.stack(xs), 1) / weights.sum()
        for xs in zip(*befores, strict=True)
    ]


@both_front_ends
def test_average_is_weighted_by_the_number_of_the_update(front_end):
    model = dense_model(front_end, front_end.optimizer("gclip"))
    recorder, average = _Recorder(front_end), _callback(front_end)
    _fit(front_end, model, [recorder, average], epochs=2)
    _fit(front_end, model, [recorder, average])
    assert len(recorder.before) == 12
    for actual, expected in zip(
        average.averages, _expected(recorder.before), strict=True
    ):
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


def test_micro_steps_that_only_accumulate_do_not_count():
    optimizer = KERAS.optimizer(
        "gclip", learning_rate=0.5, gradient_accumulation_steps=2
    )
    model = dense_model(KERAS, optimizer)
    recorder, average = _Recorder(KERAS), _callback(KERAS)
    _fit(KERAS, model, [recorder, average], epochs=2)
    befores = recorder.before
    assert len(befores) == 8
    assert same_bits(befores[0], befores[1])
    for actual, expected in zip(
        average.averages, _expected(befores[::2]), strict=True
    ):
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@both_front_ends
def test_steps_that_are_skipped_do_not_count(front_end):
    model = dense_model(front_end, front_end.optimizer("gclip"))
    recorder, average = _Recorder(front_end), _callback(front_end)
    x = data()[0].copy()
    x[8:16] = np.inf
    _fit(front_end, model, [recorder, average], x=x)
    assert int(model.optimizer.skipped_steps) == 1
    befores = recorder.before
    assert same_bits(befores[1], befores[2])
    for actual, expected in zip(
        average.averages,
        _expected([befores[0], *befores[2:]]),
        strict=True,
    ):
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@both_front_ends
def test_averages_are_assigned_to_the_model(front_end):
    model = dense_model(front_end, front_end.optimizer("gclip"))
    average = _callback(front_end)
    _fit(front_end, model, [average])
    last = model.get_weights()
    average.assign_averages()
    assert same_bits(model.get_weights(), average.averages)
    assert not same_bits(model.get_weights(), last)


@both_front_ends
def test_average_follows_an_optimizer_of_the_framework_too(front_end):
    model = dense_model(front_end, front_end.framework.optimizers.SGD(0.1))
    recorder, average = _Recorder(front_end), _callback(front_end)
    _fit(front_end, model, [recorder, average])
    for actual, expected in zip(
        average.averages, _expected(recorder.before), strict=True
    ):
        np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@both_front_ends
def test_several_steps_an_execution_are_refused(front_end):
    model = dense_model(front_end, front_end.optimizer("gclip"))
    model.compile(
        optimizer=front_end.optimizer("gclip"),
        loss="mse",
        steps_per_execution=4,
    )
    with pytest.raises(ValueError) as error:
        _fit(front_end, model, [_callback(front_end)])
    message = str(error.value)
    assert message.startswith("`steps_per_execution` must be 1")
    assert message.endswith("Received: steps_per_execution=4")


def test_averages_before_the_first_step_raise():
    with pytest.raises(ValueError, match="`averages` must be read after a st"):
        _ = _callback(KERAS).averages


def test_averages_on_jax_are_those_on_tensorflow(tmp_path):
    run_program("averaging", tmp_path / "averages.npz", backend="jax")
    with np.load(tmp_path / "averages.npz") as arrays:
        actual = [arrays[name] for name in sorted(arrays)]
    expected = averaging.averages()
    assert len(actual) == len(expected)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-5, atol=1e-6)
