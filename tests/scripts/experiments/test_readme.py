"""The page of all claims says what was decided of them."""

import json
import re
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).resolve().parents[3] / "scripts" / "experiments"
STUDIES = ("high_probability", "real_models")
LINK = re.compile(
    r"\[`(\w+)`\]\((\w+)/(results/results\.md#\w+|claims\.yaml)\)"
)
WORDS = re.compile(r"\*\*(holds|fails|undecided)\*\*|not yet")
INTERVAL = re.compile(r"(−?[\d.]+) \[(−?[\d.]+), (−?[\d.]+)\]")


def read(study, name):
    path = FOLDER / study / name
    text = path.read_text("utf-8") if path.exists() else "{}"
    return yaml.safe_load(text) if path.suffix == ".yaml" else json.loads(text)


VERDICTS = {study: read(study, "results/verdicts.json") for study in STUDIES}
ROWS = [
    line
    for line in (FOLDER / "README.md").read_text("utf-8").splitlines()
    if LINK.search(line)
]


def claims_of(row):
    return [(study, name) for name, study, _ in LINK.findall(row)]


def number(text):
    return float(text.replace("−", "-"))


def test_every_claim_is_on_the_page_once():
    found = [claim for row in ROWS for claim in claims_of(row)]
    every = [
        (study, name)
        for study in STUDIES
        for name in read(study, "claims.yaml")
    ]
    assert sorted(found) == sorted(every)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: claims_of(row)[0][1])
def test_a_row_says_what_was_decided(row):
    """One word for all claims of a row, or one for each, in their order."""
    said = [found[1] or "not yet" for found in WORDS.finditer(row)]
    decided = [
        VERDICTS[study].get(name, {"verdict": "not yet"})["verdict"]
        for study, name in claims_of(row)
    ]
    assert said == decided or (len(said) == 1 and {*said} == {*decided})
    for name, study, target in LINK.findall(row):
        is_decided = name in VERDICTS[study]
        assert target == (
            f"results/results.md#{name}" if is_decided else "claims.yaml"
        )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: claims_of(row)[0][1])
def test_an_interval_on_the_page_is_one_of_the_claim(row):
    known = [
        [test["estimate"], *test["interval"]]
        for study, name in claims_of(row)
        for test in VERDICTS[study].get(name, {"tests": []})["tests"]
    ]
    for shown in INTERVAL.findall(row):
        digits = [len(part.partition(".")[2]) for part in shown]
        assert any(
            all(
                abs(number(part) - float(value)) <= 0.5001 * 10**-digit
                for part, digit, value in zip(shown, digits, three, strict=True)
            )
            for three in known
        ), shown
