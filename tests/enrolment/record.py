"""What the shared checks have to know of an optimizer to check it."""

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True)
class Halving:
    """A learning rate that halves every few steps, exactly so in float32."""

    start: float
    every: int

    def at(self, step: int) -> float:
        return self.start * 0.5 ** (step // self.every)

    def schedule(self, framework):
        return framework.optimizers.schedules.ExponentialDecay(
            self.start, self.every, 0.5, staircase=True
        )


class PerVariable:
    """Makes one oracle of many variables out of an oracle of one variable."""

    def __init__(self, oracle: type, variables, **hyperparameters):
        self.each = [oracle(x, **hyperparameters) for x in variables]

    def step(self, gradients, learning_rate=None):
        return [
            oracle.step(g, learning_rate)
            for oracle, g in zip(self.each, gradients, strict=True)
        ]


@dataclasses.dataclass(frozen=True, repr=False)
class Limit:
    """Hyperparameters with which an optimizer is one that is known already.

    Args:
        arguments: Arguments of the optimizer.
        reference: Makes the known optimizer in NumPy out of a list of
            variables; it has the `step` of an oracle.
        gradients: Makes a list with a list of gradients for each step.
        first_step: From which step on the two move alike, 0 for the first.
    """

    arguments: Mapping[str, object]
    reference: Callable
    gradients: Callable
    first_step: int = 0


@dataclasses.dataclass(frozen=True, repr=False)
class Enrolment:
    """One registered optimizer and what it claims.

    Args:
        name: Name in the registry.
        oracle: Makes a NumPy oracle of `(variables, **hyperparameters)` with
            `step(gradients, learning_rate)`, which returns the variables.
        variants: Named arguments; all of them for the cheap checks.
        few: Names of the variants for the checks that cost more.
        nonfinite_scope: What one bad gradient stops: `"coordinate"` or
            `"step"`.
        clipped: Returns, of an oracle after a step, boolean arrays that say
            which coordinates the step clipped; `None` if that is no share.
        limits: Named limits.
        errors: Pairs of bad arguments and how the message starts.
        config: Argument names and defaults that `get_config` must hold.
        training_rate: Learning rate with which small models train well.
    """

    name: str
    oracle: Callable
    variants: Mapping[str, Mapping[str, object]]
    few: Sequence[str]
    nonfinite_scope: str
    config: Mapping[str, object]
    clipped: Callable[[object], list[np.ndarray]] | None = None
    limits: Mapping[str, Limit] = dataclasses.field(default_factory=dict)
    errors: Sequence[tuple[Mapping, str]] = ()
    training_rate: float = 0.03125
