"""A run prints its progress."""

import io

import pytest
import tensorflow as tf

from command_line import progress


class Run:
    """A run whose steps and evaluations take what time they are told."""

    def __init__(self, monkeypatch, train_steps, evaluations=(), batches=None):
        self.now = 100.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)
        self.step, self.stream = tf.Variable(0), io.StringIO()
        self.watch = progress.Progress(
            self.step, train_steps, evaluations, batches, self.stream
        )

    def loop(self, steps, seconds, loss):
        self.step.assign_add(steps)
        self.now += seconds
        self.watch({"training_loss": tf.constant(loss)})

    def evaluate(self, seconds, **metrics):
        with self.watch.evaluation():
            self.now += seconds
        self.watch.evaluated(metrics)

    @property
    def lines(self):
        return self.stream.getvalue().splitlines()


def test_a_line_has_step_loss_speed_and_time_left(monkeypatch):
    run = Run(monkeypatch, 1000)
    run.loop(1, 30, 9.5)
    run.loop(99, 33, 8.25)
    run.loop(100, 25, 7.0)
    assert run.lines == [
        "step 1/1,000  loss 9.5000  0.03 steps/s",
        # The first loop, which compiles, is no measure for the rest.
        "step 100/1,000  loss 8.2500  3.00 steps/s  0:05:00 left",
        "step 200/1,000  loss 7.0000  4.00 steps/s  0:03:53 left",
    ]
    assert run.watch.latest == {"training_loss": 7.0, "steps_per_second": 4.0}


def test_the_time_left_is_that_of_steps_and_evaluations(monkeypatch):
    run = Run(monkeypatch, 400, evaluations=[200, 300, 400])
    run.loop(100, 50, 5.0)
    run.loop(100, 50, 4.0)
    run.evaluate(300, f1=0.5)
    run.loop(100, 50, 3.0)
    run.evaluate(200, f1=0.75)
    run.loop(100, 50, 2.0)
    run.evaluate(200, f1=0.75)
    assert run.lines == [
        "step 100/400  loss 5.0000  2.00 steps/s",
        # How long they take is not known yet.
        "step 200/400  loss 4.0000  2.00 steps/s  0:01:40 left and "
        "3 evaluations",
        "step 200 evaluating",
        "step 200 evaluated: f1 0.5000",
        "step 300/400  loss 3.0000  2.00 steps/s  0:10:50 left",
        "step 300 evaluating",
        "step 300 evaluated: f1 0.7500",
        "step 400/400  loss 2.0000  2.00 steps/s  0:03:20 left",
        "step 400 evaluating",
        "step 400 evaluated: f1 0.7500",
    ]


def test_one_evaluation_is_left_out_in_the_singular(monkeypatch):
    run = Run(monkeypatch, 200, evaluations=[200])
    run.loop(100, 50, 5.0)
    run.loop(100, 50, 4.0)
    assert run.lines[-1].endswith("0:00:00 left and 1 evaluation")


@pytest.fixture
def reached(monkeypatch):
    """Returns the progress that evaluations print, in order."""
    said = []
    heartbeat = progress.Heartbeat
    monkeypatch.setattr(heartbeat, "reached", lambda _, text: said.append(text))
    return said


def test_an_evaluation_says_how_many_batches_it_has_seen(monkeypatch, reached):
    run = Run(monkeypatch, 100)
    for _ in range(2):
        with run.watch.evaluation():
            run.watch.evaluated_batch()
            run.watch.evaluated_batch()
            run.watch.computing_metrics()
    metrics = "all batches, computing the metrics"
    assert reached == [
        *("batch 1", "batch 2", metrics),
        # How many there are is known by now.
        *("batch 1 of 2", "batch 2 of 2", metrics),
    ]


def test_the_number_of_batches_may_be_known_before(monkeypatch, reached):
    run = Run(monkeypatch, 100, batches=3)
    with run.watch.evaluation():
        run.watch.evaluated_batch()
    assert reached == ["batch 1 of 3"]
