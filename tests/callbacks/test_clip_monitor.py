"""ClipMonitor reads what a loop would that reads at every step, but seldom."""

import csv
import warnings

import numpy as np
import pytest

from tests.support.enrolment.record import Adaptive
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.front_ends import both_front_ends
from tests.support.models import data
from tests.support.models import dense_model
from tests.support.monitored import BATCH
from tests.support.monitored import THRESHOLDS
from tests.support.monitored import Loop
from tests.support.monitored import assert_equal
from tests.support.monitored import fit
from tests.support.monitored import gclip
from tests.support.monitored import make_monitor
from tests.support.monitored import steps_with
from tests.support.monitored import usual_loop
from tests.support.noise_problems import batches_of
from tests.support.shared_code import every_case

pytestmark = pytest.mark.slow


@every_case(
    "threshold",
    {name: (threshold,) for name, threshold in THRESHOLDS.items()},
    ["adaptive"],
)
def test_readings_are_those_of_every_step(front_end, threshold):
    """At every fifth step of an epoch and at its end, skipped ones counted."""
    on = steps_with(skipped=(3, 4, 10))
    loop = Loop(front_end, gclip(front_end, clip_threshold=threshold), on, 2)
    monitor = make_monitor(front_end, interval=5)
    model = dense_model(front_end, gclip(front_end, clip_threshold=threshold))
    fit(model, monitor, on=on, epochs=2)
    at = [5, 10, 15, 16, 21, 26, 31, 32]
    expected = loop.readings(at, threshold)
    assert len({reading["clip_fraction"] for reading in expected}) > 1
    assert_equal(monitor.readings, expected)


@both_front_ends
def test_readings_of_layers_are_those_of_the_last_step(front_end):
    loop = Loop(front_end, front_end.optimizer("cclip", monitor=True))
    monitor = make_monitor(front_end, interval=8, per_layer=True)
    model = dense_model(front_end, front_end.optimizer("cclip", monitor=True))
    logs = fit(model, monitor)
    expected = loop.readings([8, 16], 0.1)
    for reading, step in zip(expected, (8, 16), strict=True):
        last = loop.steps[step - 1]
        for index, variable in enumerate(model.trainable_variables):
            path = variable.name.split(":")[0]
            path = getattr(variable, "path", path)
            reading[f"gradient_norm/{path}"] = last["norms"][index]
            reading[f"clip_fraction/{path}"] = last["shares"][index]
    assert len(expected[0]) == 5 + 2 * len(model.trainable_variables)
    assert_equal(monitor.readings, expected)
    assert not any("/" in name for name in logs)


NOT_ONE_NUMBER = {
    "none": ("gclip", {"clip_threshold": None}),
    "of its own": ("acclip", {}),
    "arrays": ("cclip", {"clip_threshold": [[0.5]] * 4}),
    "of layers": (
        "clip_adam",
        {"clipping": "layer", "clip_threshold": Adaptive()},
    ),
}


@every_case("name, arguments", NOT_ONE_NUMBER, ["of layers"])
def test_threshold_is_left_out_where_it_is_not_one_number(
    front_end, name, arguments
):
    monitor = make_monitor(front_end)
    model = dense_model(front_end, front_end.optimizer(name, **arguments))
    logs = fit(model, monitor)
    names = {"gradient_norm", "clip_fraction", "skipped_steps"}
    (reading,) = monitor.readings
    assert reading.keys() == {"step", *names}
    assert logs.keys() == {"loss", *names}


@both_front_ends
def test_logs_of_an_epoch_are_means_of_it(front_end, tmp_path):
    """Of the history, and of a logger that comes later in the list."""
    on = steps_with(skipped=(8, 9))
    threshold = THRESHOLDS["polynomial"]
    loop = Loop(front_end, gclip(front_end, clip_threshold=threshold), on, 2)
    model = dense_model(front_end, gclip(front_end, clip_threshold=threshold))
    path = tmp_path / "log.csv"
    logger = front_end.framework.callbacks.CSVLogger(str(path))
    monitor = make_monitor(front_end, interval=8)
    logs = fit(model, monitor, logger, on=on, epochs=2)
    first, second = (
        loop.readings([8, 16], threshold),
        loop.readings([24, 32], threshold),
    )
    # The eighth step is bad, and so is its norm.
    expected = {
        "gradient_norm": [each[1]["gradient_norm"] for each in (first, second)],
        "clip_threshold": [
            np.mean([reading["clip_threshold"] for reading in each])
            for each in (first, second)
        ],
        "clip_fraction": [
            loop.clip_fraction(0, 16),
            loop.clip_fraction(16, 32),
        ],
        "skipped_steps": [2, 4],
    }
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for name, values in expected.items():
        np.testing.assert_allclose(logs[name], values, rtol=1e-5, err_msg=name)
        written = [float(row[name]) for row in rows]
        np.testing.assert_allclose(written, values, rtol=1e-5, err_msg=name)


@both_front_ends
def test_second_training_is_read_from_where_it_begins(front_end):
    """Updates that were made without the monitor are in none of its means."""
    loop = usual_loop(front_end)
    monitor = make_monitor(front_end, interval=8)
    model = dense_model(front_end, gclip(front_end))
    fit(model, monitor)
    fit(model)
    logs = fit(model, monitor)
    expected = loop.readings([8, 16], 0.5) + loop.readings([40, 48], 0.5, 32)
    assert_equal(monitor.readings, expected)
    np.testing.assert_allclose(
        logs["clip_fraction"], [loop.clip_fraction(32, 48)]
    )


@both_front_ends
def test_several_steps_an_execution_are_read_after_the_one_that_is_due(
    front_end,
):
    optimizer = gclip(front_end)
    model = dense_model(front_end, optimizer)
    model.compile(optimizer=optimizer, loss="mse", steps_per_execution=3)
    monitor = make_monitor(front_end, interval=4)
    fit(model, monitor)
    expected = usual_loop(front_end).readings([6, 9, 12, 16], 0.5)
    assert_equal(monitor.readings, expected)


@both_front_ends
def test_nothing_is_read_twice_where_data_ends_unannounced(front_end):
    """The framework begins a step before it finds that there is no data."""

    def generate():
        yield from batches_of(*data(), BATCH)

    model = dense_model(front_end, gclip(front_end))
    monitor = make_monitor(front_end, interval=8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(generate(), verbose=0, callbacks=[monitor])
    assert [each["step"] for each in monitor.readings] == [8, 16]


def test_micro_steps_that_only_accumulate_are_not_read():
    model = dense_model(KERAS, gclip(KERAS, gradient_accumulation_steps=4))
    monitor = make_monitor(KERAS, interval=1, stop_after=1)
    fit(model, monitor)
    assert [each["step"] for each in monitor.readings] == [1, 2, 3, 4]
    assert monitor.stopped is None


@both_front_ends
def test_steps_between_readings_touch_neither_the_device_nor_the_model(
    front_end, monkeypatch
):
    touched = set()

    class Spied(front_end.callbacks.ClipMonitor):
        batch = "no batch"

        @property
        def model(self):
            touched.add(("model", self.batch))
            return self._model

        @model.setter
        def model(self, value):
            self._model = value

        def on_train_batch_begin(self, batch, logs=None):
            self.batch = batch
            super().on_train_batch_begin(batch, logs)
            self.batch = "no batch"

    monitor = Spied(interval=5, stop_after=3)
    model = dense_model(front_end, gclip(front_end))
    fit(model, monitor)
    kind = type(model.optimizer.update_count)
    fetch = kind.numpy

    def spied_fetch(variable):
        touched.add(("device", monitor.batch))
        return fetch(variable)

    monkeypatch.setattr(kind, "numpy", spied_fetch)
    touched.clear()
    fit(model, monitor)
    batches = ("no batch", 5, 10, 15)
    assert touched == {
        (what, batch) for what in ("model", "device") for batch in batches
    }


@both_front_ends
def test_nothing_asks_for_the_logs_of_every_step(front_end):
    """Keras fetches them for a callback with one of these methods.

    tf_keras does for one with any for batches, unless it takes tensors.
    """
    callback = front_end.framework.callbacks.Callback
    monitor = front_end.callbacks.ClipMonitor
    for name in ("on_train_batch_end", "on_batch_end"):
        assert getattr(monitor, name) is getattr(callback, name)
    if front_end is TF_KERAS:
        several = front_end.framework.callbacks.CallbackList(
            [monitor()], add_history=True
        )
        assert several._batch_hooks_support_tf_logs


@both_front_ends
def test_readings_lose_nothing_after_ten_million_updates(front_end):
    """Of 2^24 in float32 the next number is two more."""
    optimizer = front_end.optimizer("cclip", monitor=True)
    model = dense_model(front_end, optimizer)
    optimizer.build(model.trainable_variables)
    optimizer.clip_total.assign(2.0**24)
    shares = []

    class Shares(front_end.framework.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            shares.append(float(optimizer.clip_fraction))

    monitor = make_monitor(front_end, interval=1)
    fit(model, monitor, Shares())
    read = [reading["clip_fraction"] for reading in monitor.readings]
    assert len(read) == len(shares) > 2
    assert 0 < min(shares) < 1
    np.testing.assert_allclose(read, shares, rtol=1e-5)
