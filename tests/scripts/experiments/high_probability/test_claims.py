"""Claims are decided by intervals; the committed verdicts are theirs."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from experiments import claims
from experiments import verdict_tables
from experiments.high_probability import arms
from experiments.high_probability import claims as lab_claims

FOLDER = Path(lab_claims.__file__).parent
RESULTS = FOLDER / "results"
CLAIMS = lab_claims.load()
VERDICTS = json.loads((RESULTS / "verdicts.json").read_text())

every_verdict = pytest.mark.parametrize("name", CLAIMS)


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        ((0.2, 0.3), "holds"),
        ((0.0, 1.0), "holds"),
        ((1.1, 1.2), "fails"),
        ((-0.5, -0.1), "fails"),
        ((0.9, 1.1), "undecided"),
        ((-math.inf, math.inf), "undecided"),
        ((math.inf, math.inf), "fails"),
    ],
)
def test_a_test_is_decided_by_where_its_interval_lies(interval, verdict):
    test = claims.Test("ratio", {}, 0.0, 1.0)
    assert test.verdict(*interval) == verdict


def test_a_claim_needs_all_tests_its_controls_and_a_rate_inside_the_grid():
    test = claims.Test("ratio", {}, 0.0, 1.0)
    control = claims.Test("ratio", {}, 0.0, 1.0, control=True)
    words = {"measure": "", "margin": "", "refuted_by": "", "arms": []}
    claim = claims.Claim("a", "a", "", tests=[test, test, control], **words)

    def verdict(*decisions, at_edge=()):
        return claim.verdict(decisions, at_edge)[0]

    assert verdict("holds", "holds", "holds") == "holds"
    assert verdict("holds", "fails", "holds") == "fails"
    assert verdict("fails", "undecided", "holds") == "fails"
    assert verdict("holds", "undecided", "holds") == "undecided"
    assert verdict("holds", "holds", "fails") == "undecided"
    assert verdict("holds", "holds", "undecided") == "undecided"
    assert verdict("holds", "holds", "holds", at_edge=["b"]) == "undecided"
    reason = claim.verdict(["holds"] * 3, ["b, delay = 1"])[1]
    assert reason == "best rate at the edge: b, delay = 1"


def test_intervals_hold_95_percent_and_know_of_infinities():
    rows = np.concatenate([[0.5], np.linspace(0, 1, 401)])
    assert claims.interval(rows) == (0.5, 0.025, 0.975)
    assert claims.interval(np.array([2.0])) == (2.0, 2.0, 2.0)
    assert claims.interval(np.array([2.0, 1.0, 3.0])) == (2.0, 1.0, 3.0)
    estimate, low, high = claims.interval(np.full(401, np.inf))
    assert low == high == estimate == math.inf
    assert claims.interval(np.array([np.nan] * 9))[1:] == (-np.inf, np.inf)


@every_verdict
def test_a_committed_verdict_is_that_of_the_claim_as_it_is(name):
    """Neither the claims nor their bounds were moved after the runs."""
    claim, verdict = CLAIMS[name], VERDICTS[name]
    at_edge = []
    for arm in claim.arms:
        log = json.loads(
            (RESULTS / "arms" / f"{arms.file_name(arm)}.json").read_text()
        )
        assert log["arm"] == arm
        at_edge += [
            case
            for case in lab_claims.cases(claim.tests)
            if log["cases"].get(case, {}).get("at_edge")
        ]
    decisions = []
    for test, found in zip(claim.tests, verdict["tests"], strict=True):
        assert found["measure"] == test.measure
        assert test.arguments.items() <= found.items()
        assert [float(bound) for bound in found["bounds"]] == [
            float(f"{bound:.6g}") for bound in (test.low, test.high)
        ]
        low, high = map(float, found["interval"])
        assert low <= float(found["estimate"]) <= high
        assert found["verdict"] == test.verdict(low, high)
        decisions.append(found["verdict"])
    assert (verdict["verdict"], verdict["reason"]) == claim.verdict(
        decisions, at_edge
    )


def _of_logs(logs, measure, case, to=None, of="q99", **arguments):
    """Returns what a measure comes to by the quantiles and means of logs."""
    if measure == "probability":
        return logs[case]["chances"][-1]

    def statistic(name):
        if of == "mean":
            return logs[name]["means"][-1]
        return logs[name]["quantiles"]["0.01"]

    if measure == "ratio":
        return statistic(case) / statistic(to)
    if measure == "level":
        return statistic(case) / arguments["height"]
    over = arguments["over"]
    found = [statistic(case.format(value)) for value in over]
    if measure == "spread":
        return max(found) / min(found)
    return np.polyfit(np.log(over), np.log(found), 1)[0]


def test_the_committed_estimates_are_those_of_the_committed_logs():
    logs = {}
    for path in (RESULTS / "arms").glob("*.json"):
        logs |= json.loads(path.read_text())["cases"]
    measured = ("probability", "ratio", "level", "spread", "growth")
    estimates = [
        (test["estimate"], _of_logs(logs, **arguments))
        for claim in VERDICTS.values()
        for test in claim["tests"]
        if test["measure"] in measured
        for arguments in [
            {
                key: value
                for key, value in test.items()
                if key in ("measure", "case", "to", "of", "over", "height")
            }
        ]
    ]
    assert len(estimates) > 40
    committed, expected = zip(*estimates, strict=True)
    np.testing.assert_allclose(committed, expected, rtol=1e-4, atol=1e-5)


def test_the_committed_tables_are_those_of_the_committed_verdicts():
    text = verdict_tables.of_verdicts(CLAIMS, VERDICTS, "run.py")
    assert (RESULTS / "results.md").read_text() == text


@every_verdict
def test_the_readme_has_every_verdict(name):
    text = (FOLDER / "README.md").read_text("utf-8")
    (row,) = [i for i in text.splitlines() if i.startswith(f"| `{name}` |")]
    verdict = re.search(r"\*\*(\w+)\*\*", row.split("|")[3]).group(1)
    assert verdict == VERDICTS[name]["verdict"]
