"""Stores everything that stays constant over the steps of an optimizer."""

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
    """Stores everything that a step depends on except tensors; hashable.

    The settings of an optimizer are its `step_settings`, with the defaults of
    its class. The defaults here neither clip nor decay.

    Args:
        rule: A rule of `keras_clip.rules`: the algorithm and its
            hyperparameters.
        clipping: Operator that clips the gradients: `"global"`, `"layer"` or
            `"coordinate"`. Defaults to the rule's first; it is `None` for a
            rule without a threshold.
        clip_threshold: A threshold, or an argument of `thresholds.get`.
            Defaults to `None`: nothing is clipped.
        weight_decay: Decoupled weight decay, or `None`.
        undecayed: Positions of the variables that do not decay.
        clipnorm: As in Keras, applied before all other clipping. Ignored if
            `global_clipnorm` is set.
        clipvalue: As in Keras, ignored if one of the other two is set.
        global_clipnorm: As in Keras.
        clip_per_replica: Whether gradients have been clipped on each replica,
            before they were reduced. Defaults to `False`.
        monitor: Whether all monitoring scalars are updated even if that costs
            a pass over the gradients. Defaults to `False`.

    Raises:
        ValueError: If an argument is out of its range or conflicts with
            another.

    Attributes:
        threshold_key: Hashable key of the threshold, which is compared.
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
        """Returns whether gradients that are not finite are skipped."""
        return self.rule.nonfinite == "skip"

    @property
    def rule_scope(self) -> str:
        """Returns the `nonfinite_scope` without Keras' clipping."""
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
        """Returns what a NaN or infinite gradient stops.

        `"step"`, `"variable"` or `"coordinate"`: everything that depends on a
        norm, or another shared number, which such a gradient makes NaN or
        infinite.
        """
        if self.global_clipnorm or self.rule_scope == "step":
            return "step"
        return "variable" if self.clipnorm else self.rule_scope

    @property
    def takes_norms(self) -> bool:
        """Returns whether a step computes the norms of its gradients."""
        return self.nonfinite_scope != "coordinate" or self.monitor

    @property
    def is_monitored(self) -> bool:
        """Returns whether steps update all monitoring scalars.

        They do with `monitor=True`, and also without it if the step computes
        the numbers anyway.
        """
        by_factor = self.clipping in ("global", "layer")
        return self.monitor or (by_factor and self.rule_scope != "coordinate")

    @property
    def counts_variables(self) -> bool:
        """Returns whether bias correction counts updates by variable."""
        threshold = self.clip_threshold
        if threshold is None or self.clipping == "global":
            return self.rule.is_corrected
        return threshold.moves_with_norm or self.rule.is_corrected

    def decay_of(self, position: int) -> float:
        """Returns the weight decay of one variable.

        Args:
            position: Its position among the optimizer's variables.
        """
        return 0.0 if position in self.undecayed else self.weight_decay or 0.0

    def rests_at_zero(self, position: int) -> bool:
        """Returns whether a step leaves what has a gradient of zero as it is.

        Args:
            position: Position of the variable among the optimizer's variables.
        """
        threshold = self.clip_threshold
        by_variable = threshold is not None and isinstance(
            threshold.scale, tuple
        )
        return (
            self.rule.rests_at_zero
            and self.rule.projection_radius is None
            # Else a bad gradient reaches all rows.
            and self.skips
            and not self.decay_of(position)
            # Thresholds may differ from row to row.
            and not by_variable
        )

    def _set(self, name, value):
        object.__setattr__(self, name, value)

    def _checked_clipping(self):
        operators = self.rule.operators or (None,)
        if self.clipping is None:
            return operators[0]
        return check_choice("clipping", self.clipping, operators)

    def _checked_threshold(self):
        """Returns the threshold after checking it against other settings."""
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
                    "`clip_threshold` must be one number except for clipping "
                    f"by coordinate. Received: clip_threshold={value!r}"
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
    """Returns positions as a frozen set after checking them."""
    if isinstance(positions, frozenset | set | list | tuple):
        if all(type(each) is int and each >= 0 for each in positions):
            return frozenset(positions)
    raise ValueError(
        "`undecayed` must hold positions of variables, counted from 0. "
        f"Received: undecayed={positions!r}"
    )
