"""Every registered optimizer has what it needs by hand; else, where it goes.

It runs without the enrolments, so that a row in the registry is enough to be
told of all the rest.
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

ROOT = Path(__file__).resolve().parent.parent
GUIDE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")

every_info = pytest.mark.parametrize(
    "info", OPTIMIZERS.values(), ids=OPTIMIZERS
)


def modules(info):
    """Returns the files that an optimizer has of its own."""
    return [
        *(
            f"keras_clip/{folder}/{info.name}.py"
            for folder in ("rules", "optimizers")
        ),
        f"tests/support/enrolment/{info.name}.py",
    ]


def lines(info):
    """Yields the lines that it has in files of all, up to `...`."""
    name, optimizer = info.name, info.class_name
    file = "keras_clip/optimizers/__init__.py"
    yield file, f"from keras_clip.optimizers.{name} import {optimizer}"
    yield file, f'"{optimizer}",'
    yield "scripts/command_line/parser.py", f'"{name}",'
    yield (
        "scripts/benchmarks/contestants.py",
        f'_ours("{name}", "{optimizer}", ...),',
    )
    yield "tests/support/heavy_tails.py", f'"{name}": Case("{name}", ...),'
    yield (
        "README.md",
        f"| `{optimizer}` | {info.summary} | {info.reference} "
        f"| {info.starting_rate:g} |",
    )
    yield "CHANGELOG.md", f"`{optimizer}` ..."


def has(text, line):
    """Returns whether a text has a line, however that is wrapped."""
    parts = re.findall(r"\w+|[^\w\s]", line.split("...")[0])
    pattern = r"\s*".join(map(re.escape, parts)) + r"(?!\w)"
    return re.search(pattern, text) is not None


@every_info
def test_every_file_that_lists_the_optimizers_has_the_line_of_each(info):
    missing = [
        f"{file}: {line}"
        for file, line in lines(info)
        if not has((ROOT / file).read_text("utf-8"), line)
    ]
    assert not missing, "Add these lines:\n" + "\n".join(missing)


@every_info
def test_every_optimizer_has_its_modules(info):
    missing = [file for file in modules(info) if not (ROOT / file).is_file()]
    assert not missing, "Add these files:\n" + "\n".join(missing)


@every_info
def test_the_guide_names_every_file(info):
    files = {*modules(info), *(file for file, _ in lines(info))}
    named = {re.sub(rf"\b{info.name}\.py$", "NAME.py", file) for file in files}
    for file in named:
        assert f"`{file}`" in GUIDE, f"Add to CONTRIBUTING.md: `{file}`"
    for file in re.findall(r"`([a-z_]+/[\w/]+(?:\.py|\.sh|/))`", GUIDE):
        assert "NAME" in file or (ROOT / file).exists(), file


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


def test_a_line_is_found_however_it_is_wrapped_but_not_in_a_longer_one():
    text = (
        'import ClipAdamNorm\nimport GClip\nCase(\n    "clip_adam_norm", {}\n)'
    )
    assert has(text, "import ClipAdamNorm")
    assert has(text, 'Case("clip_adam_norm", ...)')
    assert not has(text, "import ClipAdam")
    assert not has(text, 'Case("clip_adam", ...)')
