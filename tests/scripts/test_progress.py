"""What is printed while a run trains."""

import io

import progress
import pytest
import tensorflow as tf


class Clock:
    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_a_line_has_step_loss_speed_and_time_left(clock):
    step, stream = tf.Variable(0), io.StringIO()
    watch = progress.Progress(step, 1000, stream)

    def loop(steps, seconds, loss):
        step.assign_add(steps)
        clock.now += seconds
        watch({"training_loss": tf.constant(loss)})

    loop(1, 30, 9.5)
    loop(99, 33, 8.25)
    loop(100, 25, 7.0)
    assert stream.getvalue().splitlines() == [
        "step 1/1,000  loss 9.5000  0.03 steps/s",
        # The first loop, which compiles, is no measure for the rest.
        "step 100/1,000  loss 8.2500  3.00 steps/s  0:05:00 left",
        "step 200/1,000  loss 7.0000  4.00 steps/s  0:03:53 left",
    ]
    assert watch.latest == {"training_loss": 7.0, "steps_per_second": 4.0}


def test_time_spent_on_evaluation_slows_the_forecast_but_not_the_speed(clock):
    step, stream = tf.Variable(0), io.StringIO()
    watch = progress.Progress(step, 300, stream)
    step.assign(100)
    clock.now += 50
    watch({"training_loss": 5.0})
    clock.now += 100
    watch.evaluated({"f1": 0.5})
    step.assign(200)
    clock.now += 50
    watch({"training_loss": 4.0})
    assert stream.getvalue().splitlines() == [
        "step 100/300  loss 5.0000  2.00 steps/s",
        "step 100 evaluated: f1 0.5000",
        "step 200/300  loss 4.0000  2.00 steps/s  0:02:30 left",
    ]
