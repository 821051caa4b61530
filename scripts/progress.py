"""Prints how a training run gets on."""

import datetime
import sys
import time
from collections.abc import Mapping
from typing import TextIO

import tensorflow as tf


class Progress:
    """Prints step, loss, speed and time left, a line a loop.

    An action for Orbit's controller, which calls it after each training loop.

    Args:
        global_step: Variable that counts the steps.
        train_steps: Steps of the whole run.
        stream: Where to print, standard error by default.
    """

    def __init__(
        self,
        global_step: tf.Variable,
        train_steps: int,
        stream: TextIO | None = None,
    ) -> None:
        self._global_step = global_step
        self._train_steps = train_steps
        self._stream = stream or sys.stderr
        # The first loop compiles, and would make all forecasts too long.
        self._first = None
        self._last = (int(global_step.numpy()), time.monotonic())
        self.latest = {}

    def __call__(self, output: Mapping[str, tf.Tensor]) -> None:
        """Prints a line.

        Args:
            output: What a training loop gives.
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
        if self._first is not None:
            first_step, first_time = self._first
            left = (now - first_time) / (step - first_step)
            left = datetime.timedelta(
                seconds=round(left * (self._train_steps - step))
            )
            line += f"  {left} left"
        self.say(line)
        self._first = self._first or (step, now)
        self._last = step, now

    def evaluated(self, metrics: Mapping[str, float]) -> None:
        """Prints what an evaluation found.

        Args:
            metrics: Values by name.
        """
        values = "  ".join(f"{k} {v:.4f}" for k, v in metrics.items())
        self.say(f"step {int(self._global_step.numpy()):,} evaluated: {values}")
        self._last = self._last[0], time.monotonic()

    def say(self, line: str) -> None:
        """Prints a line at once.

        Args:
            line: What to print.
        """
        print(line, file=self._stream, flush=True)
