"""Every registered optimizer has what it needs by hand; else, where it goes.

It runs without the enrolments, so that a row in the registry is enough to be
told of all the rest: four files, and two commands that write what follows.
"""

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from keras import ops

from keras_clip.registry import OPTIMIZERS
from keras_clip.rules.clips import Factor
from keras_clip.rules.rule import Rule
from keras_clip.validation import within
from tests.support import listings

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
ORACLES = "".join(
    path.read_text("utf-8")
    for path in (ROOT / "tests/support/oracles").glob("*.py")
)
GENERATE = "python -m tests.golden.generate"

every_info = pytest.mark.parametrize(
    "info", OPTIMIZERS.values(), ids=OPTIMIZERS
)


def modules(name):
    """Returns the files of an optimizer's own, and what is in each."""
    return {
        f"tests/support/oracles/{name}.py": "the oracle",
        f"keras_clip/rules/{name}.py": "the rule",
        f"keras_clip/optimizers/{name}.py": "the class",
        f"tests/support/enrolment/{name}.py": "the enrolment",
    }


def _has_an_oracle(info):
    return f"class {info.class_name}Oracle(" in ORACLES


@every_info
def test_every_optimizer_has_its_files(info):
    missing = [
        f"{file}: {what}"
        for file, what in modules(info.name).items()
        if not (ROOT / file).is_file()
        # Some share a file.
        and not (what == "the oracle" and _has_an_oracle(info))
    ]
    assert not missing, "Add these files:\n" + "\n".join(missing)


@pytest.mark.parametrize("file", listings.LISTINGS)
def test_every_listing_is_what_follows_from_the_registry(file):
    assert not listings.is_stale(file), f"Run: {listings.COMMAND}"


@every_info
def test_every_optimizer_has_its_golden_files(info):
    for front_end in ("keras", "tf_keras"):
        for ending in ("keras", "json"):
            name = f"*/{front_end}/{info.name}.{ending}"
            found = (ROOT / "tests/golden").glob(name)
            assert any(found), f"Run: {GENERATE}"


def test_the_guide_names_every_file_and_both_commands():
    for file in ("keras_clip/registry.py", *modules("NAME")):
        assert f"`{file}`" in GUIDE, f"Add to CONTRIBUTING.md: `{file}`"
    for command in (listings.COMMAND, GENERATE):
        assert f"`{command}`" in GUIDE
    for file in re.findall(r"`([a-z_]+/[\w/]+(?:\.py|\.sh|/))`", GUIDE):
        assert "NAME" in file or (ROOT / file).exists(), file


def test_a_row_that_the_readme_lacks_is_appended_without_a_time():
    text = listings.readme(README)
    (row,) = re.findall(r"^\| `ClipAdam` \|.*\n", text, re.MULTILINE)
    before, header, rest = text.replace(row, "").partition(listings.HEADER)
    table, end, after = rest.partition("\n\n")
    found = listings.readme(before + header + rest)
    added = re.sub(r"[\d.]+ \|\n$", "– |", row)
    assert found == f"{before}{header}{table}\n{added}{end}{after}"


def test_every_listing_is_brought_up_to_the_registry(monkeypatch):
    changed = {
        **OPTIMIZERS,
        "gclip": dataclasses.replace(OPTIMIZERS["gclip"], summary="another"),
    }
    del changed["clip_adam"]
    monkeypatch.setattr(listings, "OPTIMIZERS", changed)
    found = listings.readme(README)
    (row,) = re.findall(r"^\| `GClip` \|.*$", README, re.MULTILINE)
    assert row.replace(OPTIMIZERS["gclip"].summary, "another") in found
    assert "| `ClipAdam` |" not in found
    for file in (listings.EXPORTS, listings.NAMES):
        text = (ROOT / file).read_text("utf-8")
        found = listings.LISTINGS[file](text)
        assert re.search(r"\bclip_adam\b", text)
        assert not re.search(r"\bclip_adam\b", found)
        assert all(re.search(rf"\b{name}\b", found) for name in changed)


def test_the_rule_of_the_guide_moves_by_the_sign_of_a_clipped_momentum():
    (example,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    names = {
        "Rule": Rule,
        "dataclasses": dataclasses,
        "within": within,
        "ops": ops,
    }
    exec(example, names)
    rule = names["ClipSignRule"](beta_1=0.5)
    x, m, g = ops.convert_to_tensor([[1.0, 2.0], [0.5, -0.25], [-4.0, 0.25]])
    clip = Factor(ops.convert_to_tensor(0.25))
    x, (m,) = rule(x, g, (m,), 0.125, 1, clip, weight_decay=0.5)
    np.testing.assert_array_equal(m, [-0.25, -0.09375])
    np.testing.assert_array_equal(x, [1.0625, 2.0])
