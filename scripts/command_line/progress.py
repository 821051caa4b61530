"""Prints the progress of a training run."""

import contextlib
import datetime
import sys
import time
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import TextIO

from command_line.heartbeat import Heartbeat

if TYPE_CHECKING:
    import tensorflow as tf


def say(line: str, stream: TextIO | None = None) -> None:
    """Prints a line at once.

    Args:
        line: The line.
        stream: Where to print, standard error by default.
    """
    # The work continues if the reader of the stream has exited.
    with contextlib.suppress(OSError):
        print(line, file=stream or sys.stderr, flush=True)


class Progress:
    """Prints step, loss, speed and time left, in a line for each loop.

    It is an action for Orbit's controller, which calls it after each training
    loop. The time left includes evaluations once the duration of one is known;
    before that, the line says that they are left out.

    Args:
        global_step: Variable that counts the steps.
        train_steps: Steps of the whole run.
        evaluations: The steps with an evaluation.
        batches: Number of batches of an evaluation, if known.
        stream: Where to print, standard error by default.
    """

    def __init__(
        self,
        global_step: "tf.Variable",
        train_steps: int,
        evaluations: Collection[int] = (),
        batches: int | None = None,
        stream: TextIO | None = None,
    ) -> None:
        self._global_step = global_step
        self._train_steps = train_steps
        self._evaluations = evaluations
        self._batches = batches
        self._batch = 0
        self._heartbeat = None
        self._stream = stream or sys.stderr
        # The first loop compiles, which would bias the forecasts.
        self._first = None
        self._last = (int(global_step.numpy()), time.monotonic())
        # Seconds of one evaluation, and of all since the first loop.
        self._evaluation = None
        self._evaluated = 0.0
        self.latest = {}

    def __call__(self, output: Mapping[str, "tf.Tensor"]) -> None:
        """Prints a line.

        Args:
            output: The output of a training loop.
        """
        step, now = int(self._global_step.numpy()), time.monotonic()
        last_step, last_time = self._last
        loss = float(output["training_loss"])
        speed = (step - last_step) / max(now - last_time, 1e-9)
        self.latest = {"training_loss": loss, "steps_per_second": speed}
        line = (
            f"step {step:,}/{self._train_steps:,}  loss {loss:.4f}  "
            f"{speed:.2f} steps/s"
        )
        if self._first is None:
            self._first, self._evaluated = (step, now), 0.0
        else:
            line += f"  {self._left(step, now)}"
        say(line, self._stream)
        self._last = step, now

    @contextlib.contextmanager
    def evaluation(self) -> Iterator[None]:
        """Prints the progress of the evaluation inside of the context."""
        step, start = int(self._global_step.numpy()), time.monotonic()
        self._batch = 0
        heartbeat = Heartbeat(f"step {step:,} evaluating", stream=self._stream)
        with heartbeat as self._heartbeat:
            yield
        self._batches = self._batch or self._batches
        now = time.monotonic()
        self._evaluation = now - start
        self._evaluated += self._evaluation
        self._last = self._last[0], now

    def evaluated_batch(self) -> None:
        """Counts a batch of an evaluation."""
        self._batch += 1
        of = f" of {self._batches:,}" if self._batches else ""
        self._heartbeat.reached(f"batch {self._batch:,}{of}")

    def computing_metrics(self) -> None:
        """Reports that an evaluation has processed all its batches."""
        self._heartbeat.reached("all batches, computing the metrics")

    def evaluated(self, metrics: Mapping[str, float]) -> None:
        """Prints the result of an evaluation.

        Args:
            metrics: Values by name.
        """
        values = "  ".join(f"{k} {v:.4f}" for k, v in metrics.items())
        step = int(self._global_step.numpy())
        say(f"step {step:,} evaluated: {values}", self._stream)

    def _left(self, step, now):
        """Returns the time left, and a note on what it leaves out."""
        first_step, first_time = self._first
        spent = now - first_time - self._evaluated
        left = spent / (step - first_step) * (self._train_steps - step)
        to_come = sum(stop >= step for stop in self._evaluations)
        left_out = ""
        if self._evaluation is not None:
            left += to_come * self._evaluation
        elif to_come:
            left_out = f" and {to_come} evaluation{'s' * (to_come > 1)}"
        return f"{datetime.timedelta(seconds=round(left))} left{left_out}"
