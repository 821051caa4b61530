"""ClipMonitor stops what only skips, and looks into other optimizers."""

import keras
import numpy as np
import pytest

from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.models import dense_model
from tests.support.monitored import BATCH
from tests.support.monitored import assert_equal
from tests.support.monitored import fit
from tests.support.monitored import gclip
from tests.support.monitored import make_monitor
from tests.support.monitored import several
from tests.support.monitored import steps_with
from tests.support.monitored import usual_loop

pytestmark = pytest.mark.slow


@both_front_ends
def test_training_stops_when_a_reading_finds_steps_skipped_in_a_row(front_end):
    on = steps_with(skipped=(3, 4, 5, *range(7, 17)))
    model = dense_model(front_end, gclip(front_end))
    monitor = make_monitor(front_end, interval=5, stop_after=4)
    with pytest.warns(UserWarning, match="Training was stopped") as warned:
        fit(model, monitor, on=on, epochs=3)
    assert model.stop_training
    # Three in a row at the fifth step, four at the tenth; one more was begun.
    assert [each["skipped_steps"] for each in monitor.readings] == [3, 7, 8]
    messages = [str(each.message) for each in warned]
    messages = [each for each in messages if each.startswith("Training")]
    assert messages == [monitor.stopped]
    assert monitor.stopped.startswith(
        "Training was stopped after update 3: the last 4 steps were all skipped"
    )
    assert "NaN in the data" in monitor.stopped
    assert "lower the learning rate" in monitor.stopped
    fit(model, monitor)
    assert monitor.stopped is None


@both_front_ends
def test_optimizer_of_a_loss_scale_is_read(front_end):
    monitor = make_monitor(front_end, interval=8)
    optimizer = front_end.scaled(gclip(front_end), 1024.0)
    fit(dense_model(front_end, optimizer), monitor)
    expected = usual_loop(front_end).readings([8, 16], 0.5)
    assert_equal(monitor.readings, expected)


@pytest.mark.parametrize(("epochs", "steps"), [(1, 16), (5, 3)])
@both_front_ends
def test_training_stops_when_a_loss_scale_leaves_out_all_steps(
    front_end, epochs, steps
):
    """The optimizer never hears of them; an epoch may be short."""
    optimizer = front_end.scaled(gclip(front_end), 1024.0)
    monitor = make_monitor(front_end, interval=5, stop_after=8)
    on = [array[: BATCH * steps] for array in steps_with(range(1, 17))]
    with pytest.warns(UserWarning, match="Training was stopped"):
        fit(dense_model(front_end, optimizer), monitor, on=on, epochs=epochs)
    assert monitor.stopped is not None


def test_names_of_several_optimizers_begin_with_theirs():
    first, second = gclip(KERAS, name="body"), gclip(KERAS, name="head")
    monitor = make_monitor(KERAS, interval=8, per_layer=True)
    model = dense_model(KERAS, several(first, second))
    logs = fit(model, monitor)
    last = monitor.readings[-1]
    assert last["step"] == 16
    for name, optimizer in {"body": first, "head": second}.items():
        norms = KERAS.value(optimizer.gradient_norms)
        paths = [
            variable.path
            for variable in model.trainable_variables
            if ("second" in variable.path) == (name == "head")
        ]
        np.testing.assert_allclose(
            [last[f"{name}/gradient_norm/{path}"] for path in paths], norms
        )
        for kind in ("gradient_norm", "clip_threshold", "skipped_steps"):
            assert f"{name}/{kind}" in logs
        fraction = float(optimizer.clip_total) / 16
        np.testing.assert_allclose(logs[f"{name}/clip_fraction"], [fraction])
    assert len(last) == 1 + 2 * (4 + 4)


def test_optimizers_of_one_name_are_told_apart():
    monitor = make_monitor(KERAS)
    fit(dense_model(KERAS, several(gclip(KERAS), gclip(KERAS))), monitor)
    (reading,) = monitor.readings
    assert {name.split("/")[0] for name in reading} == {
        "step",
        "gclip",
        "gclip_1",
    }


def test_optimizer_next_to_one_of_keras_is_read_alone():
    monitor = make_monitor(KERAS)
    optimizer = several(keras.optimizers.SGD(0.1), gclip(KERAS))
    fit(dense_model(KERAS, optimizer), monitor)
    (reading,) = monitor.readings
    assert reading["step"] == 16
    assert reading["clip_threshold"] == 0.5
