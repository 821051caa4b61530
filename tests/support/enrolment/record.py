"""What the shared checks have to know of an optimizer to check it."""

import dataclasses
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence


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


@dataclasses.dataclass(frozen=True)
class Polynomial:
    """The clipping threshold `scale * k**power` of update k.

    With coordinate clipping, `scale` may be a list with a number or an array
    for each variable.
    """

    scale: float | list
    power: float

    def threshold(self):
        from keras_clip import thresholds

        return thresholds.PolynomialThreshold(self.scale, self.power)


@dataclasses.dataclass(frozen=True)
class Adaptive:
    """The clipping threshold that follows the norm of the gradients."""

    multiplier: float = 1.0
    beta: float = 0.99
    alpha: float = 1.0
    of: str = "raw"
    warmup_steps: int = 25

    def threshold(self):
        from keras_clip import thresholds

        return thresholds.AdaptiveThreshold(**dataclasses.asdict(self))


# What a bad gradient may stop, from the narrowest to the widest.
SCOPES = ("coordinate", "variable", "step")


def widest(*scopes):
    return max(scopes, key=SCOPES.index)


def scope_of_keras_arguments(arguments):
    """Returns what a bad gradient stops, by `clipnorm` or `global_clipnorm`."""
    if arguments.get("global_clipnorm") is not None:
        return "step"
    return "coordinate" if arguments.get("clipnorm") is None else "variable"


class PerVariable:
    """Makes one oracle of many variables out of an oracle of one variable."""

    def __init__(self, oracle: type, variables, **hyperparameters):
        self.each = [oracle(x, **hyperparameters) for x in variables]

    def step(self, gradients, learning_rate=None):
        return [
            oracle.x if g is None else oracle.step(g, learning_rate)
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
        name: Name in the registry, and that of the module.
        oracle: Makes a NumPy oracle of `(variables, **hyperparameters)` with
            `step(gradients, learning_rate)`, which returns the variables.
        variants: Named arguments; all of them for the cheap checks.
        few: Names of the variants for the checks that cost more.
        nonfinite_scope: Returns, of the arguments, what one bad gradient
            stops: one of `SCOPES`.
        counts_for_free: Returns, of the arguments, whether `gradient_norm`,
            `clip_fraction` and `skipped_steps` are all kept up without
            `monitor`.
        clip_fraction: Returns, of an oracle after a step, the share that the
            step clipped.
        clip_fractions: Likewise, the share of each variable.
        last_threshold: Likewise, the one number that it clipped at, or `None`.
        config: Argument names and defaults that `get_config` must hold.
        golden: Arguments of the golden files, none at its default: what they
            save has to load in every later version.
        limits: Named limits.
        errors: Pairs of bad arguments and how the message starts.
        delays: Values of `delay`, in ascending order; none if there is no such
            argument.
        training_rate: Learning rate with which small models train well.
    """

    name: str
    oracle: Callable
    variants: Mapping[str, Mapping[str, object]]
    few: Sequence[str]
    nonfinite_scope: Callable[[Mapping[str, object]], str]
    counts_for_free: Callable[[Mapping[str, object]], bool]
    clip_fraction: Callable[[object], float]
    clip_fractions: Callable[[object], Sequence[float]]
    last_threshold: Callable[[object], float | None]
    config: Mapping[str, object]
    golden: Mapping[str, object]
    limits: Mapping[str, Limit] = dataclasses.field(default_factory=dict)
    errors: Sequence[tuple[Mapping, str]] = ()
    delays: Sequence[int] = ()
    training_rate: float = 0.03125
