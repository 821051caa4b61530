"""ClipMonitor reads the optimizers that a model of its own way trains with."""

import numpy as np
import pytest

from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.models import data
from tests.support.models import dense_model
from tests.support.monitored import BATCH
from tests.support.monitored import STEPS
from tests.support.monitored import assert_equal
from tests.support.monitored import fit
from tests.support.monitored import gclip
from tests.support.monitored import make_monitor
from tests.support.monitored import several
from tests.support.monitored import steps_with
from tests.support.monitored import usual_loop
from tests.support.own_steps import model_of_two_optimizers
from tests.support.own_steps import model_with_own_step
from tests.support.refusals import refused

pytestmark = pytest.mark.slow


@both_front_ends
def test_optimizer_that_is_given_is_read(front_end):
    own = gclip(front_end)
    monitor = make_monitor(front_end, interval=5, optimizer=own)
    logs = fit(model_with_own_step(front_end, own), monitor, epochs=2)
    at = [5, 10, 15, 16, 21, 26, 31, 32]
    assert_equal(monitor.readings, usual_loop(front_end).readings(at, 0.5))
    assert logs["clip_threshold"] == [0.5, 0.5]


@both_front_ends
def test_several_that_are_given_are_read_by_their_names(front_end, tmp_path):
    """The second steps at every other step, and is read with the first."""
    first = gclip(front_end, name="body", clip_threshold=0.5)
    second = gclip(front_end, name="head", clip_threshold=0.25)
    path = tmp_path / "readings.csv"
    monitor = make_monitor(
        front_end, interval=5, optimizer=[first, second], csv_path=path
    )
    fit(model_of_two_optimizers(front_end, first, second), monitor, epochs=2)
    readings = monitor.readings
    steps = [5, 10, 15, 16, 21, 26, 31, 32]
    assert [reading["step"] for reading in readings] == steps
    kinds = ("gradient_norm", "clip_threshold", "clip_fraction")
    names = {
        f"{name}/{kind}"
        for name in ("body", "head")
        for kind in (*kinds, "skipped_steps")
    }
    assert all(reading.keys() == {"step", *names} for reading in readings)
    last = readings[-1]
    for name, optimizer in {"body": first, "head": second}.items():
        np.testing.assert_allclose(
            last[f"{name}/gradient_norm"], float(optimizer.gradient_norm)
        )
        assert last[f"{name}/clip_threshold"] == optimizer.clip_threshold
    assert int(second.update_count) == STEPS
    assert len(path.read_text("utf-8").splitlines()) == 1 + len(readings)


@both_front_ends
def test_what_an_optimizer_did_before_the_training_is_not_read(front_end):
    """Though another is there that only the training builds."""
    first = gclip(front_end, name="body", clip_threshold=2.0**-20)
    second = gclip(front_end, name="head", clip_threshold=1.0)
    model = model_of_two_optimizers(front_end, first, second)
    variables = model.layers[0].trainable_weights
    for _ in range(8):
        gradients = [np.ones(v.shape) for v in variables]
        front_end.apply(first, gradients, variables)
    assert float(first.clip_total) == 8
    first.clip_threshold = 2.0**20
    monitor = make_monitor(front_end, interval=2, optimizer=[first, second])
    fit(model, monitor)
    fractions = {reading["body/clip_fraction"] for reading in monitor.readings}
    assert fractions == {0.0}


@both_front_ends
def test_training_stops_by_the_optimizer_that_is_given(front_end):
    own = gclip(front_end)
    monitor = make_monitor(front_end, interval=2, stop_after=4, optimizer=own)
    with pytest.warns(UserWarning, match="Training was stopped"):
        fit(
            model_with_own_step(front_end, own),
            monitor,
            on=steps_with(skipped=range(1, 17)),
        )
    # One more was begun.
    assert int(own.skipped_steps) == 5


@pytest.mark.parametrize("steps", [1, STEPS])
@both_front_ends
def test_optimizer_without_a_step_is_refused_after_the_first_epoch(
    front_end, steps
):
    model = model_with_own_step(front_end, gclip(front_end), gclip(front_end))
    ended = []

    class Epochs(front_end.framework.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            ended.append(epoch)

    start = "`optimizer` must be the optimizer that the mod"
    with refused(start, f"Received: optimizer={model.optimizer!r}"):
        fit(
            model,
            Epochs(),
            make_monitor(front_end, interval=2),
            on=[array[: BATCH * steps] for array in data()],
            epochs=3,
        )
    assert ended == [0]


@both_front_ends
def test_one_of_several_without_a_step_is_refused_too(front_end):
    own, other = gclip(front_end), gclip(front_end)
    monitor = make_monitor(front_end, optimizer=[own, other])
    with refused("", f"Received: optimizer={other!r}"):
        fit(model_with_own_step(front_end, own), monitor)


def test_epoch_of_micro_steps_that_only_accumulate_is_not_refused():
    optimizer = gclip(KERAS, gradient_accumulation_steps=3 * STEPS)
    monitor = make_monitor(KERAS, interval=4)
    fit(dense_model(KERAS, optimizer), monitor, epochs=3)
    assert [reading["step"] for reading in monitor.readings] == [1]


def _sgd(front_end):
    return front_end.framework.optimizers.SGD(0.1)


UNREADABLE = {
    "a name": lambda front_end: "gclip",
    "an empty list": lambda front_end: [],
    "of the framework": _sgd,
    "one of two of the framework": lambda front_end: [
        gclip(front_end),
        _sgd(front_end),
    ],
}


@pytest.mark.parametrize("make", UNREADABLE.values(), ids=UNREADABLE)
@both_front_ends
def test_optimizer_that_cannot_be_read_is_refused_at_once(front_end, make):
    error = "^`optimizer` must be an optimizer of `keras_clip`.* Received: "
    with pytest.raises(ValueError, match=error):
        make_monitor(front_end, optimizer=make(front_end))


@both_front_ends
def test_model_with_another_optimizer_is_told_to_give_it(front_end):
    model = model_with_own_step(front_end, gclip(front_end))
    with pytest.raises(ValueError, match="pass those that a custom"):
        fit(model, make_monitor(front_end))
    model.optimizer = None
    with pytest.raises(ValueError, match="Received: optimizer=None"):
        fit(model, make_monitor(front_end))


def test_several_of_keras_can_be_given_before_they_are_built():
    first, second = gclip(KERAS, name="body"), gclip(KERAS, name="head")
    optimizer = several(first, second)
    monitor = make_monitor(KERAS, optimizer=optimizer)
    fit(model_with_own_step(KERAS, optimizer), monitor)
    (reading,) = monitor.readings
    assert reading["step"] == STEPS
    assert {"body/gradient_norm", "head/gradient_norm"} < reading.keys()


@both_front_ends
def test_model_that_its_first_step_builds_is_read_from_it(front_end):
    layers = front_end.framework.layers

    class Subclassed(front_end.framework.Model):
        def __init__(self):
            super().__init__()
            self.layer = layers.Dense(2)

        def call(self, inputs):
            return self.layer(inputs)

    sequential = front_end.framework.Sequential([layers.Dense(2)])
    for model in (sequential, Subclassed()):
        optimizer = gclip(front_end)
        model.compile(optimizer=optimizer, loss="mse")
        monitor = make_monitor(front_end, interval=5, per_layer=True)
        fit(model, monitor)
        steps = [each["step"] for each in monitor.readings]
        assert steps == [5, 10, 15, 16]
        assert len(monitor.readings[0]) == 5 + 2 * 2
        fraction = float(optimizer.clip_total) / STEPS
        weights = np.diff([0, *steps]) / STEPS
        fractions = [each["clip_fraction"] for each in monitor.readings]
        np.testing.assert_allclose(np.dot(weights, fractions), fraction)


@both_front_ends
def test_monitor_reads_another_model_next(front_end):
    monitor = make_monitor(front_end, interval=8)
    for _ in range(2):
        fit(dense_model(front_end, gclip(front_end)), monitor)
    expected = usual_loop(front_end).readings([8, 16], 0.5)
    assert_equal(monitor.readings, 2 * expected)
