"""Defines a case: one method on one problem under one law of noise."""

import dataclasses
import math

from experiments.high_probability.noise_laws import Law
from experiments.high_probability.problems import Problem
from experiments.high_probability.problems import Quadratic
from keras_clip.registry import OPTIMIZERS
from keras_clip.step import Settings

MILLION = 1_000_000


@dataclasses.dataclass(frozen=True)
class Case:
    """Stores one setting of an arm.

    Args:
        settings: The settings of the package's step.
        law: The law of the gradient noise.
        runs: Number of runs.
        steps: Number of steps.
        problem: The problem.
        learning_rate: Float, or `None` for the best of the grid.
        tuned_for: The quantile of the error that is the least at the best rate.
        decay: See `Simulation`.
        error: See `Simulation`.
        second_stream: Whether the noise is not that of all other cases.
        per_decade: Number of checkpoints in a decade of steps.
    """

    settings: Settings
    law: Law
    runs: int = MILLION
    steps: int = 1_000
    problem: Problem = Quadratic()
    learning_rate: float | None = None
    tuned_for: float = 0.5
    decay: str = "constant"
    error: str = "height"
    second_stream: bool = False
    per_decade: int = 8

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """Returns steps from 10 on, evenly by their logarithm, and the last."""
        count = int(self.per_decade * math.log10(self.steps)) + 1
        steps = {
            round(10 ** (place / self.per_decade))
            for place in range(self.per_decade, count)
        }
        return (*sorted(s for s in steps if s < self.steps), self.steps)


def settings(name: str, **arguments: object) -> Settings:
    """Returns the settings of the step of one of the package's optimizers.

    Args:
        name: Its name in the registry.
        **arguments: Arguments of its class.
    """
    return OPTIMIZERS[name].keras_class(**arguments).step_settings


def sgd(clip_threshold: object = None, **arguments: object) -> Settings:
    """Returns the settings of SGD or, with a threshold, of GClip."""
    return settings("gclip", clip_threshold=clip_threshold, **arguments)


def norm(name: str, clip_threshold: object = None, **arguments: object):
    """Returns the settings of a Norm method, with b₀ = 1 by default.

    Args:
        name: `"adagrad"` or `"adam"`.
        clip_threshold: The threshold. Defaults to `None`.
        **arguments: More arguments of its class.
    """
    arguments = {"initial_accumulator": 1.0, **arguments}
    return settings(
        f"clip_{name}_norm", clip_threshold=clip_threshold, **arguments
    )


def memory_of(steps: int) -> float:
    """Returns the β₂ = 1 − 1/K of the second paper's theorems."""
    return 1 - 1 / steps
