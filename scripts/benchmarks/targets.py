"""What the optimizers are meant to cost at most."""

import dataclasses
from collections.abc import Mapping
from collections.abc import Sequence

from benchmarks.contestants import OURS


@dataclasses.dataclass(frozen=True)
class Target:
    """A bound on the worst of some contestants.

    Args:
        mode: The mode.
        contestants: Names of those that it is for.
        at_most: The bound on the median.
        against: Name of the one that their time is divided by; `None` for a
            bound on the seconds of the first call.
        shapes: Name of the shapes.
    """

    mode: str
    contestants: tuple[str, ...]
    at_most: float
    against: str | None
    shapes: str = "bert-base"


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What was measured of a target.

    Args:
        worst: Name of the contestant that comes out worst.
        median: Its median ratio, or its seconds.
        ratio: Quartiles of the ratio; `None` for seconds.
        holds: Whether the median is within the bound.
    """

    worst: str
    median: float
    ratio: Sequence[float] | None
    holds: bool


_TWO_SLOTS = ("acclip_threshold", "acclip_unscaled")
TARGETS = (
    Target("graph", _TWO_SLOTS, 0.50, "adam"),
    Target("graph", ("acclip_threshold_decay",), 0.45, "adamw"),
    Target("graph", ("acclip",), 0.75, "adam"),
    Target("graph", ("clip_adam_norm", "clip_adagrad_norm"), 0.35, "adam"),
    Target("graph", ("clip_adam",), 0.60, "adam_clipped"),
    Target("eager", OURS, 0.20, "adam"),
    Target("graph", OURS, 0.85, "adam", "many-small"),
    Target("eager", OURS, 0.06, "adam", "many-small"),
    Target("tf_keras", _TWO_SLOTS, 0.55, "tf_keras_adam"),
    Target("jax", OURS, 1.00, "optax_adam"),
    Target("graph", OURS, 3.0, None),
)


def verdict(target: Target, results: Sequence[Mapping]) -> Verdict | None:
    """Returns what was measured of a target.

    Args:
        target: The target.
        results: `"results"` of `summary.merged`.

    Returns:
        The verdict on the worst of its contestants, `None` unless all of them
        were measured.
    """
    found = []
    for name in target.contestants:
        measured = _measured(target, name, results)
        if measured is None:
            return None
        found.append((*measured, name))
    median, ratio, worst = max(found, key=lambda entry: (entry[0], entry[2]))
    return Verdict(worst, median, ratio, median <= target.at_most)


def _measured(target, name, results):
    """Returns a contestant's median ratio with its quartiles, or seconds."""
    for result in results:
        if (result["mode"], result["shapes"]) == (target.mode, target.shapes):
            row = result["optimizers"].get(name)
            if row and target.against is None:
                return row["first_call_seconds"], None
            ratio = row and row["ratios"].get(target.against)
            return (ratio[1], ratio) if ratio else None
    return None
