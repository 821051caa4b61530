"""What a registered optimizer needs by hand is there; else, where it goes.

It runs without the enrolments, so that a row in the registry is enough to be
told of all the rest.
"""

import re
from pathlib import Path

import pytest

from keras_clip import rules
from keras_clip.registry import OPTIMIZERS
from keras_clip.registry import STEPS
from keras_clip.rules.rule import Rule

ROOT = Path(__file__).resolve().parent.parent

every_info = pytest.mark.parametrize(
    "info", OPTIMIZERS.values(), ids=OPTIMIZERS
)


def modules(info):
    """Returns the files that an optimizer has of its own."""
    return [
        *(
            f"keras_clip/{folder}/{info.name}.py"
            for folder in ("rules", "optimizers", "tf_keras")
        ),
        f"tests/enrolment/{info.name}.py",
    ]


def lines(info):
    """Yields the lines that it has in files of all, up to `...`."""
    name, optimizer = info.name, info.class_name
    for folder, public in (
        ("rules", f"{optimizer}Rule"),
        ("optimizers", optimizer),
        ("tf_keras", optimizer),
    ):
        file = f"keras_clip/{folder}/__init__.py"
        yield file, f"from keras_clip.{folder}.{name} import {public}"
        yield file, f'"{public}",'
    file = "keras_clip/__init__.py"
    yield file, f"from keras_clip.optimizers import {optimizer}"
    yield file, f'"{optimizer}",'
    yield "scripts/command_line.py", f'"{name}",'
    yield (
        "scripts/benchmarks/contestants.py",
        f'_ours("{name}", "{optimizer}", ...),',
    )
    yield "tests/heavy_tails.py", f'"{name}": Case("{name}", ...),'
    yield (
        "README.md",
        f"| `{name}` | `{optimizer}` | {info.summary} | {info.reference} "
        f"| {STEPS[info.step]} |",
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
def test_every_rule_says_what_can_be_written_over_in_place(info):
    rule = getattr(rules, f"{info.class_name}Rule")
    own = rule.__mro__[: rule.__mro__.index(Rule)]
    assert any("in_place" in vars(cls) for cls in own), (
        f"keras_clip/rules/{info.name}.py: add `in_place` to {rule.__name__}: "
        '"all", "state" or "nothing"; keras_clip/rules/rule.py says of what'
    )


def test_a_line_is_found_however_it_is_wrapped_but_not_in_a_longer_one():
    text = (
        'import ClipAdamNorm\nimport GClip\nCase(\n    "clip_adam_norm", {}\n)'
    )
    assert has(text, "import ClipAdamNorm")
    assert has(text, 'Case("clip_adam_norm", ...)')
    assert not has(text, "import ClipAdam")
    assert not has(text, 'Case("clip_adam", ...)')
