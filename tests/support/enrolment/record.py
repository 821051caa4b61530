"""Describes an optimizer to the shared checks."""

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


# The arguments that all optimizers with a threshold have, and their defaults.
TAIL = {
    "weight_decay": None,
    "nonfinite": "skip",
    "jit_compile": "auto",
    "monitor": False,
    "exclude_from_weight_decay": [],
    "clip_per_replica": False,
}

THRESHOLD_ERRORS = tuple(
    ({"clip_threshold": value}, "`clip_threshold` must be")
    for value in (0.0, -1.0, float("nan"), float("inf"), "1", True, [])
)
# Only coordinates have thresholds of their own.
LIST_ERRORS = (({"clip_threshold": [1.0, 1.0]}, "`clip_threshold`"),)

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
class Case:
    """An optimizer that comes down under heavy-tailed noise, and one that not.

    Args:
        arguments: Arguments of the optimizer, the learning rate among them.
        unclipped: What does not come down at any learning rate: the class of
            an optimizer of Keras and its arguments. The optimizer's own with
            `clip_threshold=None` if `None`.
    """

    arguments: Mapping[str, object]
    unclipped: tuple[str, Mapping[str, object]] | None = None


@dataclasses.dataclass(frozen=True, repr=False)
class Enrolment:
    """One registered optimizer and what it claims.

    Args:
        name: Name in the registry, and that of the module.
        oracle: Makes a NumPy oracle of `(variables, **hyperparameters)` with
            `step(gradients, learning_rate)`, which returns the variables, and
            the attributes of a `ClippedOracle`.
        config: Arguments and their defaults, but for those of `TAIL`, which
            are added. `get_config` must hold all of them.
        variants: Named arguments; all of them for the cheap checks. Those of
            `"defaults"`, none, are added.
        golden: Arguments of the golden files, none at its default: what they
            save has to load in every later version.
        heavy_tails: Cases by names of their own.
        few: Names of the variants, two or more, for the checks that cost more.
            Defaults to all but `"defaults"`.
        limits: Named limits.
        errors: Pairs of bad arguments and how the message starts. Those of
            `clip_threshold` are added.
        delays: Values of `delay`, in ascending order; none if there is no such
            argument.
        training_rate: Learning rate with which small models train well.
        clipping: The operator by default, `None` without a `clip_threshold`.
        takes_a_norm: Whether it takes the norm of all gradients even where it
            does not clip by it: a bad one then stops the step.
    """

    name: str
    oracle: Callable
    config: Mapping[str, object]
    variants: Mapping[str, Mapping[str, object]]
    golden: Mapping[str, object]
    heavy_tails: Mapping[str, Case]
    few: Sequence[str] = ()
    limits: Mapping[str, Limit] = dataclasses.field(default_factory=dict)
    errors: Sequence[tuple[Mapping, str]] = ()
    delays: Sequence[int] = ()
    training_rate: float = 0.03125
    clipping: str | None = "global"
    takes_a_norm: bool = False

    def __post_init__(self):
        errors = []
        if self.clipping is not None:
            errors += THRESHOLD_ERRORS
        if self.clipping in ("global", "layer"):
            errors += LIST_ERRORS
        completed = {
            "config": {**TAIL, **self.config, "name": self.name},
            "variants": {"defaults": {}, **self.variants},
            "few": self.few or tuple(self.variants),
            "errors": (*errors, *self.errors),
        }
        for name, value in completed.items():
            object.__setattr__(self, name, value)

    def nonfinite_scope(self, arguments):
        """Returns what one bad gradient stops: one of `SCOPES`."""
        threshold, operator = self._clips(arguments)
        own = "coordinate"
        if self.takes_a_norm or arguments.get("projection_radius") is not None:
            own = "step"
        elif threshold is not None and operator == "global":
            own = "step"
        elif threshold is not None and operator == "layer":
            own = "variable"
        elif isinstance(threshold, Adaptive):
            own = "variable"
        return widest(own, scope_of_keras_arguments(arguments))

    def counts_for_free(self, arguments):
        """Returns whether all that is monitored is kept up without `monitor`.

        That is `gradient_norm`, `clip_fraction` and `skipped_steps`.
        """
        threshold, operator = self._clips(arguments)
        by_norm = threshold is not None and operator != "coordinate"
        return self.takes_a_norm or by_norm

    def clip_fraction(self, oracle):
        """Returns the share that the last step clipped."""
        return oracle.clip_fraction

    def clip_fractions(self, oracle):
        """Returns the share of each variable."""
        return oracle.clip_fractions

    def last_threshold(self, oracle):
        """Returns the one number that the last step clipped at, or `None`."""
        if self.clipping is None:
            return None
        threshold, operator = oracle.clip.threshold, oracle.clip.clipping
        if isinstance(threshold, Adaptive) and operator != "global":
            return None
        if isinstance(getattr(threshold, "scale", threshold), list):
            return None
        return oracle.tau[0]

    def _clips(self, arguments):
        """Returns threshold and operator, `None` for no threshold."""
        arguments = {**self.config, **arguments}
        threshold = arguments.get("clip_threshold")
        return threshold, arguments.get("clipping", self.clipping)
