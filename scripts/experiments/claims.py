"""Reads the claims and decides on them."""

import dataclasses
import math
from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import yaml

from command_line import InputError


@dataclasses.dataclass(frozen=True)
class Test:
    """Stores one test of a claim: a measure, and where it must be.

    Args:
        measure: Name of a function that measures.
        arguments: Its arguments.
        low: Lower bound of the region in which the claim holds.
        high: Upper bound.
        control: Whether it is a control: if it does not hold, the set-up
            cannot see what the claim says.
    """

    measure: str
    arguments: Mapping
    low: float
    high: float
    control: bool = False

    def verdict(self, low: float, high: float) -> str:
        """Returns the verdict by an interval of 95 %."""
        if self.low <= low and high <= self.high:
            return "holds"
        if high < self.low or self.high < low:
            return "fails"
        return "undecided"


@dataclasses.dataclass(frozen=True)
class Claim:
    """Stores what is claimed, and how it is decided.

    Args:
        name: Name on the command line.
        part: The theme.
        says: The claim.
        measure: What is measured, in words.
        margin: Why the bounds are where they are.
        refuted_by: What would refute the claim.
        tests: The tests, all of which must hold.
        arms: Names of the arms, where the tests do not name them.
    """

    name: str
    part: str
    says: str
    measure: str
    margin: str
    refuted_by: str
    tests: Sequence[Test]
    arms: Sequence[str] = ()

    def verdict(self, decisions: Sequence[str], at_edge: Sequence[str]):
        """Returns the verdict and its reason.

        Args:
            decisions: The verdicts of the tests.
            at_edge: Names of what it measures whose best rate is at an edge.
        """
        if at_edge:
            return "undecided", f"best rate at the edge: {', '.join(at_edge)}"
        controls = [
            verdict
            for test, verdict in zip(self.tests, decisions, strict=True)
            if test.control
        ]
        if any(verdict != "holds" for verdict in controls):
            return "undecided", "a control does not hold"
        claimed = [
            verdict
            for test, verdict in zip(self.tests, decisions, strict=True)
            if not test.control
        ]
        for verdict in ("fails", "undecided"):
            count = claimed.count(verdict)
            if count:
                return verdict, f"{count} of {len(claimed)} tests: {verdict}"
        return "holds", f"{len(claimed)} of {len(claimed)} tests hold"


def load(path: Path) -> dict[str, Claim]:
    """Returns all claims of a file by name.

    Args:
        path: YAML file.
    """
    found = yaml.safe_load(path.read_text("utf-8"))
    return {name: _claim(name, dict(value)) for name, value in found.items()}


def chosen(claims: Mapping[str, Claim], names: Sequence[str]) -> list[Claim]:
    """Returns the claims of these names, or all.

    Args:
        claims: All claims by name.
        names: Names, or nothing for all.

    Raises:
        InputError: If there is no claim of a name.
    """
    unknown = [name for name in names if name not in claims]
    if unknown:
        raise InputError(
            f"`claim` must be one of {', '.join(claims)}. "
            f"Received: claim={unknown[0]}"
        )
    return [claims[name] for name in names or claims]


def interval(rows: np.ndarray) -> tuple[float, float, float]:
    """Returns an estimate and its interval of 95 %.

    Args:
        rows: The estimate, and then its replicates or the two ends, if there
            are any.
    """
    estimate, replicates = float(rows[0]), rows[1:]
    if not len(replicates):
        return estimate, estimate, estimate
    # NaN comes of too few runs or a ratio of infinities: nothing is known then.
    if np.isnan(replicates).any() or math.isnan(estimate):
        return estimate, -math.inf, math.inf
    if len(replicates) == 2:
        return estimate, float(replicates[0]), float(replicates[1])
    low, high = np.quantile(replicates, [0.025, 0.975], method="nearest")
    return estimate, float(low), float(high)


def decided(test: Test, rows: np.ndarray) -> dict:
    """Returns a test and its verdict, as they are written.

    Args:
        test: The test.
        rows: What it measures, see `interval`.
    """
    estimate, low, high = interval(rows)
    return {
        "measure": test.measure,
        **test.arguments,
        "estimate": _short(estimate),
        "interval": [_short(low), _short(high)],
        "bounds": [_short(test.low), _short(test.high)],
        "control": test.control,
        "verdict": test.verdict(low, high),
    }


def _short(value):
    """Returns a number for JSON, which has no infinity."""
    return float(f"{value:.6g}") if math.isfinite(value) else str(value)


def _claim(name, value):
    tests = [_test(dict(test)) for test in value.pop("tests")]
    words = {
        key: " ".join(text.split())
        for key, text in value.items()
        if isinstance(text, str)
    }
    return Claim(name=name, arms=value.get("arms", ()), tests=tests, **words)


def _test(value):
    measure = value.pop("measure")
    low, high = value.pop("within", (-math.inf, math.inf))
    low, high = value.pop("above", low), value.pop("below", high)
    control = value.pop("control", False)
    return Test(measure, value, float(low), float(high), control)
