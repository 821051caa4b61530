"""The demo's corpus and its question set."""

import os
import random
import re
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from bert import squad
from demo import corpus
from demo import questions

SCRIPTS = str(Path(questions.__file__).parents[1])
# A topic with one piece of everything that the reader has to tell apart.
TOPIC = """The "spam" statement
********************

The "spam" statement is used to order breakfast from a waiter, who has
nothing else on the menu and does not mind that nobody eats it.

   spam_stmt ::= "spam" expression

For example:

   spam eggs

If the kitchen is closed, "KitchenError" is raised.

str.fry(pan)

   Return a fried copy of the string.  The *pan* argument is a string
   that names the pan.

   >>> "egg".fry("iron")
   'fried egg'

   New in version 3.9.
"""


@pytest.fixture(scope="module")
def sets():
    return questions.make()


def rows(*datasets):
    """Context, question, answer, where it starts, and id of every question."""
    return [
        (
            context,
            question["question"],
            question["answers"][0]["text"],
            question["answers"][0]["answer_start"],
            question["id"],
        )
        for dataset in datasets
        for context, question in squad.questions(dataset)
    ]


def test_nearly_every_topic_is_a_document():
    documents = corpus.documents()
    assert len(documents) >= 70
    assert sum(map(len, documents)) > 300_000


def test_documents_have_no_markup_and_no_code():
    lines = "\n".join(corpus.documents()).splitlines()
    assert not [line for line in lines if re.match(r"[*=~-]{3,}|>>>", line)]
    assert not [line for line in lines if "::=" in line or "  " in line]


def test_a_document_has_one_sentence_a_line():
    assert corpus.document(TOPIC).splitlines() == [
        'The "spam" statement is used to order breakfast from a waiter, who '
        "has nothing else on the menu and does not mind that nobody eats it.",
        'If the kitchen is closed, "KitchenError" is raised.',
        "str.fry(): Return a fried copy of the string.",
        "The *pan* argument is a string that names the pan.",
        "New in version 3.9.",
    ]


def test_the_patterns_ask_these_questions():
    first, second = (
        {row[1]: row[2] for row in rows(dataset)}
        for dataset in questions.make({"spam": TOPIC})
    )
    assert {**first, **second} == {
        "What happens if the kitchen is closed?": '"KitchenError" is raised',
        "What follows if the kitchen is closed?": '"KitchenError" is raised',
        "Which exception is raised?": "KitchenError",
        "What kind of exception is this about?": "KitchenError",
        "Which exception may it raise?": "KitchenError",
        "What does str.fry() do?": "Return a fried copy of the string",
        "What is str.fry() for?": "Return a fried copy of the string",
        "What is the purpose of str.fry()?": (
            "Return a fried copy of the string"
        ),
        "In which version of Python was str.fry() added?": "3.9",
        "Since which version of Python does str.fry() exist?": "3.9",
        "Which version of Python added str.fry()?": "3.9",
    }


def test_answers_are_whole_words(sets):
    for context, _, answer, start, _ in rows(*sets):
        around = context[:start][-1:] + context[start + len(answer) :][:1]
        assert not any(letter.isalnum() for letter in around)


def test_contexts_and_answers_are_short(sets):
    lengths = [len(row[2].split()) for row in rows(*sets)]
    assert 2 <= statistics.median(lengths) <= 6
    assert max(lengths) <= 25
    for context, *_ in rows(*sets):
        assert 8 <= len(context.split()) <= 80


def test_questions_are_many_and_of_all_families(sets):
    asked = rows(*sets)
    assert 1000 <= len(asked) <= 3000
    found = {row[4].rsplit("-", 1)[0] for row in asked}
    assert found == {*questions.FAMILIES, "by hand"}


def test_about_a_fifth_is_held_out(sets):
    train, heldout = map(rows, sets)
    assert 0.15 < len(heldout) / (len(train) + len(heldout)) < 0.25


def test_no_context_is_in_both_sets(sets):
    train, heldout = ({row[0] for row in rows(each)} for each in sets)
    assert not train & heldout


def test_no_question_has_two_answers_in_a_context(sets):
    asked = [row[:2] for row in rows(*sets)]
    assert len(asked) == len(set(asked))


def test_ids_are_unique(sets):
    ids = [row[4] for row in rows(*sets)]
    assert len(ids) == len(set(ids))


def test_random_spans_seldom_match(sets):
    chance = random.Random(0)
    hits = 0
    for context, _, answer, *_ in rows(*sets):
        words = context.split()
        first = chance.randrange(len(words))
        span = words[first : first + chance.randint(1, 6)]
        hits += " ".join(span).strip('.,;:"*') == answer
    assert hits < 0.03 * len(rows(*sets))


def test_most_questions_written_by_hand_are_found(sets):
    written = questions.hand_written()
    asked = {(row[1], row[2]) for row in rows(*sets)}
    found = [(row["question"], row["answer"]) in asked for row in written]
    assert all(row["answer"] in row["evidence"] for row in written)
    assert sum(found) >= 0.8 * len(written)


def test_every_process_writes_the_same_files(tmp_path):
    written = []
    for seed in ("0", "1"):
        subprocess.run(
            [
                *(sys.executable, "-c"),
                "import sys; from demo import questions; "
                "questions.write(sys.argv[1])",
                str(tmp_path / seed),
            ],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": SCRIPTS},
            check=True,
        )
        files = sorted((tmp_path / seed).iterdir())
        written.append([(file.name, file.read_bytes()) for file in files])
    assert written[0] == written[1]
    assert [name for name, _ in written[0]] == [
        "corpus.txt",
        "heldout.json",
        "train.json",
    ]


def test_the_written_files_are_squad_and_the_corpus(sets, tmp_path):
    questions.write(tmp_path)
    for name, dataset in zip(("train", "heldout"), sets, strict=True):
        path = str(tmp_path / f"{name}.json")
        for read in (squad.read_training, squad.read_references):
            assert read("--train", path) == dataset
    text = (tmp_path / "corpus.txt").read_text("utf-8")
    assert text.rstrip("\n").split("\n\n") == corpus.documents()
