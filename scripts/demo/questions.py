"""Makes a question set in SQuAD's format from the text in every Python.

Questions are asked, in several wordings, where one of a few patterns occurs
exactly once in a passage, and a few more are written by hand in
questions.json. The text and the set differ slightly between versions of Python;
for one version they are always the same.
"""

import collections
import hashlib
import json
import os
import re
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from demo import corpus

# Up to a full stop, colon or semicolon at the end of a clause.
_SENTENCE = r"(?:[^.:;]|[.:;](?=[^\s)]))+"
# For every family a pattern, whose group `answer` is the answer, and wordings.
FAMILIES = {
    "version": (
        r"(?:New|Added) in version (?P<answer>3\.\d+)",
        "In which version of Python was {entry} added?",
        "Since which version of Python does {entry} exist?",
        "Which version of Python added {entry}?",
    ),
    "changed version": (
        r"Changed in version (?P<answer>3\.\d+(?:\.\d+)?): \w",
        "In which version of Python did {entry} change?",
        "Which version of Python changed {entry}?",
    ),
    "change": (
        r"Changed in version (?P<of>3\.\d+(?:\.\d+)?): "
        rf"(?P<answer>{_SENTENCE})",
        "What changed in version {of}?",
        "What is different since version {of}?",
    ),
    "exception": (
        r'"(?P<answer>\w+(?:Error|Exception|Iteration|Exit|Warning))"',
        "Which exception is raised?",
        "What kind of exception is this about?",
        "Which exception may {entry} raise?",
    ),
    "condition": (
        rf"\bIf (?P<of>[^.,:;]{{8,70}}), (?P<answer>{_SENTENCE})",
        "What happens if {of}?",
        "What follows if {of}?",
    ),
    "summary": (
        rf"^[\w.]+(?:\(\))?: (?P<answer>[A-Z]{_SENTENCE})",
        "What does {entry} do?",
        "What is {entry} for?",
        "What is the purpose of {entry}?",
    ),
    "term": (
        r"(?<![\w*])\*(?P<answer>[a-z][a-z -]{3,})\*(?!\*)",
        "Which term is emphasized?",
        "Which term stands between stars?",
    ),
    "section": (
        r"\b[Ss]ee(?: also)?(?: the)? section (?P<answer>[A-Z][\w -]*\w)(?= for"
        r"|[,.;)])",
        "Which section says more?",
        "In which section is there more about {entry}?",
    ),
    "proposal": (
        r"\*\*(?P<answer>PEP \d+)\*\*",
        "Which proposal says more?",
        "Which PEP is named?",
    ),
    "equivalent": (
        r'\bequivalent to (?P<answer>"[^"]+")(?![\w"])',
        "What is it equivalent to?",
        "To which expression is it equivalent?",
    ),
}
_LONGEST_ANSWER = 25
_SHARE_HELD_OUT = 0.2


class Question(NamedTuple):
    """Stores a question and the position of its answer in the passage."""

    family: str
    text: str
    answer: str
    start: int


def ask(entry: str, passage: str) -> Iterator[Question]:
    """Yields the questions that a passage answers, in every wording.

    Args:
        entry: The documented name, `""` for none.
        passage: The text.

    Yields:
        Questions.
    """
    for family, (pattern, *wordings) in FAMILIES.items():
        found = list(re.finditer(pattern, passage))
        if len(found) != 1:
            continue
        answer = found[0]["answer"]
        if not _is_whole(answer) or len(answer.split()) > _LONGEST_ANSWER:
            continue
        parts = {"entry": entry or "it", **found[0].groupdict()}
        for wording in wordings:
            text = wording.format(**parts)
            yield Question(family, text, answer, found[0].start("answer"))


def hand_written() -> list[dict[str, str]]:
    """Returns the questions written by hand.

    Returns:
        Dicts with `question`, `answer`, and as `evidence` the words of the text
        around the answer.
    """
    path = Path(__file__).with_name("questions.json")
    return json.loads(path.read_text("utf-8"))


def make(
    topics: Mapping[str, str] | None = None,
) -> tuple[dict[str, object], dict[str, object]]:
    """Returns the training and the held-out set, with no passage in common.

    Args:
        topics: Texts by name, those of the running Python by default.

    Returns:
        Tuple of two data sets in SQuAD v1.1's structure.
    """
    rows = hand_written()
    sets = collections.defaultdict(list), collections.defaultdict(list)
    for topic, entry, passage in corpus.passages(topics):
        questions = list(ask(entry, passage))
        for row in [row for row in rows if row["evidence"] in passage]:
            rows.remove(row)
            start = passage.index(row["evidence"])
            start += row["evidence"].index(row["answer"])
            questions.append(
                Question("by hand", row["question"], row["answer"], start)
            )
        if questions:
            heldout = _digest(passage) % 1000 < 1000 * _SHARE_HELD_OUT
            sets[heldout][topic].append(_paragraph(passage, questions))
    return tuple(
        {
            "version": "1.1",
            "data": [
                {"title": topic, "paragraphs": paragraphs}
                for topic, paragraphs in chosen.items()
            ],
        }
        for chosen in sets
    )


def write(directory: str | os.PathLike) -> None:
    """Writes corpus.txt, train.json and heldout.json.

    Args:
        directory: The output directory, made if it does not exist.
    """
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    train, heldout = make()
    texts = {
        "corpus.txt": "\n\n".join(corpus.documents()) + "\n",
        "train.json": json.dumps(train, indent=1),
        "heldout.json": json.dumps(heldout, indent=1),
    }
    for name, text in texts.items():
        partial = directory / f"{name}.partial"
        partial.write_text(text, "utf-8")
        os.replace(partial, directory / name)


def _paragraph(passage: str, questions: list[Question]) -> dict[str, object]:
    return {
        "context": passage,
        "qas": [
            {
                "id": f"{question.family}-{_digest(question.text + passage):x}",
                "question": question.text,
                "answers": [
                    {"text": question.answer, "answer_start": question.start}
                ],
            }
            for question in questions
        ],
    }


def _is_whole(answer: str) -> bool:
    """Returns whether quotes and parentheses in an answer are paired."""
    quotes, opening = answer.count('"'), answer.count("(")
    return quotes % 2 == 0 and opening == answer.count(")")


def _digest(text: str) -> int:
    """Returns a number that is the same in every process."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")
