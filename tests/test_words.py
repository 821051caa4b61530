"""Docstrings open with a verb, and say what a thing does in the field's words.

It reads the sources, and imports none of them.
"""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FILES = [
    path
    for folder in ("keras_clip", "scripts")
    for path in sorted((ROOT / folder).rglob("*.py"))
]
QUESTIONS = ("What", "Which", "How", "Whether", "When", "Where", "Why")
# Words that stand for a term of the field, or for nothing.
UNCLEAR = re.compile(
    r"\b(goes on|go on|as (it was|they were)|(good|bad) (step|gradient)s?"
    r"|kept up|nothing of (that|the kind)|not as said"
    r"|user's own|of (its|their|your) own)\b"
)
ERRORS = ("ValueError", "TypeError", "KeyError", "NotImplementedError")


def docstrings(source):
    """Yields the nodes of a source that have a docstring, with it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node)
            if text is not None:
                yield node, text


def is_plain(node, text):
    """Returns whether a docstring opens as it should."""
    first = text.splitlines()[0]
    word = first.split()[0].rstrip(",:")
    if word in QUESTIONS or not first.endswith("."):
        return False
    is_function = isinstance(node, ast.FunctionDef)
    return not is_function or re.fullmatch("[A-Z][a-z]+s", word) is not None


def silent_errors(source):
    """Returns the errors of a source that do not say what they received."""
    return [
        ast.unparse(node.exc)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and ast.unparse(node.exc.func) in ERRORS
        and "Received: " not in ast.unparse(node.exc)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_docstring_opens_with_a_verb_and_has_no_unclear_words(path):
    found = list(docstrings(path.read_text("utf-8")))
    assert found
    for node, text in found:
        assert is_plain(node, text), text
        assert not UNCLEAR.search(text), text


def test_no_docstring_of_the_tests_opens_with_a_question():
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for _, text in docstrings(path.read_text("utf-8")):
            assert text.split()[0] not in QUESTIONS, (path, text)


def test_every_error_of_the_package_says_what_it_received():
    package = [path for path in FILES if "keras_clip" in path.parts]
    assert len(package) > 100
    for path in package:
        assert not silent_errors(path.read_text("utf-8")), path


@pytest.mark.parametrize(
    "source",
    [
        '"""What the module holds."""',
        '"""Which variables decay."""',
        '"""Holds two functions"""',
        'class A:\n    """How it is clipped."""',
        'def f():\n    """The norm."""',
        'def f():\n    """Whether it is built."""',
        'def f():\n    """Return the norm."""',
        'def f():\n    """Returns the norm\n    of all."""',
    ],
)
def test_docstring_that_opens_otherwise_is_found(source):
    assert not any(is_plain(*found) for found in docstrings(source))


@pytest.mark.parametrize(
    "text",
    [
        "Training goes on.",
        "It is left as it was.",
        "It counts the steps since the last good step.",
        "A threshold of a user's own.",
        "A function of its own.",
    ],
)
def test_unclear_words_are_found(text):
    assert UNCLEAR.search(text)


def test_error_without_what_it_received_is_found():
    assert silent_errors('raise ValueError("`k` must be an integer.")')
    assert not silent_errors('raise ValueError(f"Bad `k`. Received: k={k}")')
