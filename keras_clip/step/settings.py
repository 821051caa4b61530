"""Holds all that is the same in each step of an optimizer."""

import dataclasses

from keras_clip import thresholds
from keras_clip.rules.rule import Rule
from keras_clip.thresholds.fitting import differ_in_numbers_alone
from keras_clip.thresholds.threshold import Threshold
from keras_clip.validation import check_choice
from keras_clip.validation import check_fields
from keras_clip.validation import one_of
from keras_clip.validation import within


@dataclasses.dataclass(frozen=True)
class Settings:
    """All that a step depends on but values; hashable.

    Those of an optimizer, with the defaults of its class, are its
    `step_settings`. Here nothing is clipped and nothing decays unless it is
    asked for.

    Args:
        rule: The algorithm and its hyperparameters, of `keras_clip.rules`.
        clipping: Operator that gradients are clipped by: `"global"`, `"layer"`
            or `"coordinate"`. Defaults to the rule's first; it is `None` for a
            rule without a threshold.
        clip_threshold: A threshold, or what `thresholds.get` makes one of.
            Defaults to `None`: nothing is clipped.
        weight_decay: Decoupled weight decay, or `None`.
        undecayed: Positions of the variables that do not decay.
        clipnorm: As in Keras, as the next two: applied before all else. Of
            several, the last alone.
        clipvalue: See `clipnorm`.
        global_clipnorm: See `clipnorm`.
        clip_per_replica: Whether gradients have been clipped on each replica,
            before they were reduced. Defaults to `False`.
        monitor: Whether all that `observe` knows is kept up even where that
            costs a pass. Defaults to `False`.

    Raises:
        ValueError: If an argument is out of its range, or does not go with
            another.

    Attributes:
        threshold_key: What tells the threshold from others.
    """

    rule: Rule
    clipping: str | None = None
    clip_threshold: Threshold | None = dataclasses.field(
        default=None, compare=False
    )
    weight_decay: float | None = within(None, "[0, inf)", optional=True)
    undecayed: frozenset[int] = frozenset()
    clipnorm: float | None = within(None, "(0, inf)", optional=True)
    clipvalue: float | None = within(None, "(0, inf)", optional=True)
    global_clipnorm: float | None = within(None, "(0, inf)", optional=True)
    clip_per_replica: bool = one_of(False, (False, True))
    monitor: bool = one_of(False, (False, True))
    threshold_key: object = dataclasses.field(
        default=None, init=False, repr=False
    )

    def __post_init__(self):
        if not isinstance(self.rule, Rule):
            raise ValueError(
                "`rule` must be a rule of `keras_clip.rules`. "
                f"Received: rule={self.rule!r}"
            )
        check_fields(self)
        self._set("undecayed", _checked_positions(self.undecayed))
        self._set("clipping", self._checked_clipping())
        self._set("clip_threshold", self._checked_threshold())
        self._set("threshold_key", thresholds.key_of(self.clip_threshold))

    @property
    def skips(self) -> bool:
        """Whether a bad gradient is not stepped by."""
        return self.rule.nonfinite == "skip"

    @property
    def rule_scope(self) -> str:
        """The `nonfinite_scope` that there is without Keras' own clipping."""
        threshold = self.clip_threshold
        if self.rule.projection_radius or self.rule.shared:
            return "step"
        if threshold is None:
            return "coordinate"
        if self.clipping == "global":
            return "step"
        by_norm = self.clipping == "layer" or threshold.moves_with_norm
        return "variable" if by_norm else "coordinate"

    @property
    def nonfinite_scope(self) -> str:
        """The scope of one NaN or infinite gradient: all that it stops.

        `"step"`, `"variable"` or `"coordinate"`: all that a number is shared by
        which the bad gradient spoils.
        """
        if self.global_clipnorm or self.rule_scope == "step":
            return "step"
        return "variable" if self.clipnorm else self.rule_scope

    @property
    def takes_norms(self) -> bool:
        """Whether a step takes the norms of its gradients."""
        return self.nonfinite_scope != "coordinate" or self.monitor

    @property
    def is_monitored(self) -> bool:
        """Whether all that `observe` knows is kept up.

        Always with `monitor=True`; without it, where what a step computes
        anyway tells all of it.
        """
        by_factor = self.clipping in ("global", "layer")
        return self.monitor or (by_factor and self.rule_scope != "coordinate")

    @property
    def counts_variables(self) -> bool:
        """Whether moments are corrected by the updates of each variable."""
        threshold = self.clip_threshold
        by_variable = (
            threshold is not None
            and threshold.moves_with_norm
            and self.clipping != "global"
        )
        return by_variable or self.rule.is_corrected

    def decay_of(self, position: int) -> float:
        """Returns the weight decay of one variable.

        Args:
            position: Its position among the optimizer's variables.
        """
        return 0.0 if position in self.undecayed else self.weight_decay or 0.0

    def _set(self, name, value):
        object.__setattr__(self, name, value)

    def _checked_clipping(self):
        operators = self.rule.operators or (None,)
        if self.clipping is None:
            return operators[0]
        return check_choice("clipping", self.clipping, operators)

    def _checked_threshold(self):
        """Returns the threshold after checking that it goes with the rest."""
        value = self.clip_threshold
        threshold = thresholds.get(value)
        if threshold is None:
            return None
        if self.clipping is None:
            raise ValueError(
                "`clip_threshold` must be None for a rule without a threshold, "
                f"{type(self.rule).__name__}. Received: "
                f"clip_threshold={value!r}"
            )
        if not differ_in_numbers_alone(threshold, threshold):
            raise ValueError(
                "`clip_threshold` must be what its `with_numbers(scale, "
                "parameters)` returns: override that where its constructor "
                f"takes more. Received: clip_threshold={value!r}"
            )
        if isinstance(threshold.scale, tuple):
            if self.clipping != "coordinate":
                raise ValueError(
                    "`clip_threshold` must be one number but for clipping by "
                    f"coordinate. Received: clip_threshold={value!r}"
                )
            if threshold.of == "clipped":
                raise ValueError(
                    "`clip_threshold` must be one number where it follows the "
                    f"clipped norm. Received: clip_threshold={value!r}"
                )
        if threshold.moves_with_norm and self.clip_per_replica:
            raise ValueError(
                "`clip_threshold` must not follow the norm with "
                "`clip_per_replica`: the replicas' norms differ. "
                f"Received: clip_threshold={value!r}"
            )
        return threshold


def _checked_positions(positions):
    """Returns positions as a frozen set after checking that they are some."""
    if isinstance(positions, frozenset | set | list | tuple):
        if all(type(place) is int and place >= 0 for place in positions):
            return frozenset(positions)
    raise ValueError(
        "`undecayed` must hold positions of variables, from 0 on. "
        f"Received: undecayed={positions!r}"
    )
