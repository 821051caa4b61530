"""Reads the claims about clipping under heavy-tailed noise."""

from collections.abc import Sequence
from pathlib import Path

from experiments import claims
from experiments.claims import Claim
from experiments.claims import Test

PATH = Path(__file__).parent / "claims.yaml"


def load() -> dict[str, Claim]:
    """Returns all claims by name."""
    return claims.load(PATH)


def cases(tests: Sequence[Test]) -> list[str]:
    """Returns the names of the cases that tests measure.

    Args:
        tests: The tests.
    """
    names = [
        pattern.format(value)
        for test in tests
        for key in ("case", "to")
        if (pattern := test.arguments.get(key)) is not None
        for value in test.arguments.get("over", [None])
    ]
    return list(dict.fromkeys(names))
