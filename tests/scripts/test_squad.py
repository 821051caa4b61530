"""SQuAD files: what each reader takes, and which question is at fault."""

import copy
import json
import re
import zipfile

import pytest

from bert import squad
from command_line import InputError

CONTEXT = "The dog ran to the blue door."
DOG = {"text": "dog", "answer_start": 4}
ANSWER = {"text": "the blue door", "answer_start": 15}
ASKED = [
    {"id": "d1", "question": "Who ran?", "answers": [DOG]},
    {"id": "d2", "question": "Where did it run to?", "answers": [ANSWER]},
]
GOOD = {
    "version": "1.1",
    "data": [
        {"title": "cats", "paragraphs": [{"context": "A cat.", "qas": []}]},
        {
            "title": "dogs",
            "paragraphs": [
                {"context": "Dogs run.", "qas": []},
                {"context": CONTEXT, "qas": ASKED},
            ],
        },
    ],
}
READERS = {
    "training": squad.read_training,
    "references": squad.read_references,
    "questions": squad.read_questions,
}
PARAGRAPH = ("data", 1, "paragraphs", 1)
QUESTION = (*PARAGRAPH, "qas", 1)
IN_PARAGRAPH = "article 1, 'dogs', paragraph 1"
IN_QUESTION = "article 1, 'dogs', question 'd2'"
MISSING = object()
ALL = set(READERS)


def changed(place, value):
    """Returns the good dataset with another value at a place, or none."""
    dataset = copy.deepcopy(GOOD)
    *path, last = place
    record = dataset
    for name in path:
        record = record[name]
    if value is MISSING:
        del record[last]
    else:
        record[last] = value
    return dataset


def save(folder, dataset):
    path = folder / "squad.json"
    path.write_text(json.dumps(dataset))
    return str(path)


def error(reader, path):
    with pytest.raises(InputError) as caught:
        READERS[reader]("--train", path)
    message = str(caught.value)
    assert message.startswith("`--train` must be SQuAD: ")
    assert message.endswith(f". Received: --train={path}")
    return message


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    "dataset",
    [GOOD, changed(("data", 1, "title"), MISSING)],
    ids=["with titles", "without one"],
)
def test_a_good_file_is_given_back_whole(tmp_path, reader, dataset):
    assert READERS[reader]("--train", save(tmp_path, dataset)) == dataset


@pytest.mark.parametrize("reader", READERS)
def test_a_good_file_may_be_zipped(tmp_path, reader):
    path = tmp_path / "squad.json.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("squad.json", json.dumps(GOOD))
    assert READERS[reader]("--train", str(path)) == GOOD


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        (("data",), MISSING, "`data` is missing or no list"),
        (("data",), {"a": 1}, "`data` is missing or no list"),
        (("data",), [], "there is no question"),
        (("data", 1), {"paragraphs": []}, "there is no question"),
        (("data", 1), "text", "article 1, `paragraphs` is missing or no list"),
        (
            ("data", 1, "paragraphs"),
            MISSING,
            "article 1, 'dogs', `paragraphs` is missing or no list",
        ),
        (PARAGRAPH, [], f"{IN_PARAGRAPH}: `context` is missing or no str"),
        (
            (*PARAGRAPH, "context"),
            ["words"],
            f"{IN_PARAGRAPH}: `context` is missing or no str",
        ),
        (
            (*PARAGRAPH, "qas"),
            None,
            f"{IN_PARAGRAPH}: `qas` is missing or no list",
        ),
        *(
            (
                (*QUESTION, "id"),
                value,
                f"{IN_PARAGRAPH}, question 1: `id` is missing or no str",
            )
            for value in (MISSING, 7)
        ),
        (
            (*QUESTION, "question"),
            MISSING,
            f"{IN_QUESTION}: `question` is missing or no str",
        ),
        *(
            (
                (*QUESTION, "question"),
                blank,
                f"{IN_QUESTION}: `question` is empty",
            )
            for blank in (" \t", "\u200b\0\ufffd")
        ),
    ],
)
def test_an_error_says_where_it_is(tmp_path, reader, place, value, expected):
    path = save(tmp_path, changed(place, value))
    assert expected in error(reader, path)


@pytest.mark.parametrize("reader", ["references", "questions"])
def test_a_question_that_is_answered_by_its_id_has_one_of_its_own(
    tmp_path, reader
):
    path = save(tmp_path, changed((*QUESTION, "id"), "d1"))
    message = error(reader, path)
    assert "article 1, 'dogs', question 'd1': `id` is there twice" in message
    # In training no question is asked for by its id.
    assert READERS["training"]("--train", path)


@pytest.mark.parametrize("blank", ["", " ", "\u200b\u200d", "\0", "\ufffd"])
def test_a_paragraph_may_be_blank(tmp_path, blank):
    dataset = changed((*PARAGRAPH, "context"), blank)
    path = save(tmp_path, dataset)
    for reader in ("references", "questions"):
        assert READERS[reader]("--train", path) == dataset


def test_questions_come_with_their_paragraphs():
    assert list(squad.questions(GOOD)) == [(CONTEXT, q) for q in ASKED]


@pytest.mark.parametrize("blank", [" ", "\u200b", "\0", "\ufffd"])
def test_an_answer_to_train_on_is_text(tmp_path, blank):
    dataset = changed((*PARAGRAPH, "context"), CONTEXT + blank)
    dataset["data"][1]["paragraphs"][1]["qas"][1]["answers"] = [
        {"text": blank, "answer_start": len(CONTEXT)}
    ]
    message = error("training", save(tmp_path, dataset))
    assert f"question 'd2': {blank!r} is no text" in message


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("dataset", [[], "text", None, 3])
def test_json_of_something_else_is_an_error(tmp_path, reader, dataset):
    assert "`data` is missing" in error(reader, save(tmp_path, dataset))


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("answers", "readers"),
    [
        ([ANSWER], ALL),
        ([ANSWER, ANSWER], ALL - {"training"}),
        ([{**ANSWER, "answer_start": 14}], ALL - {"training"}),
        ([{**ANSWER, "answer_start": 999}], ALL - {"training"}),
        # Counted from the end, the answer would be there.
        ([{**ANSWER, "answer_start": -14}], ALL - {"training"}),
        ([{**ANSWER, "answer_start": "15"}], ALL - {"training"}),
        ([{"text": ANSWER["text"]}], ALL - {"training"}),
        ([{**ANSWER, "text": ""}], ALL - {"training"}),
        ([{"answer_start": 15}], {"questions"}),
        ([{**ANSWER, "text": None}], {"questions"}),
        (["the blue door"], {"questions"}),
        ([], {"questions"}),
        (ANSWER, {"questions"}),
        (MISSING, {"questions"}),
    ],
)
def test_a_reader_takes_the_answers_it_needs(
    tmp_path, reader, answers, readers
):
    dataset = changed((*QUESTION, "answers"), answers)
    path = save(tmp_path, dataset)
    if reader in readers:
        assert READERS[reader]("--train", path) == dataset
    else:
        message = error(reader, path)
        assert re.search(f"{IN_QUESTION}: .*(answer|text)", message)


UNANSWERABLE = {"is_impossible": True, "answers": []}


def with_question(**changes):
    """Returns the good dataset with the last question changed."""
    *_, (_, question) = squad.questions(GOOD)
    question = {**question, **changes}
    given = {k: v for k, v in question.items() if v is not MISSING}
    return changed(QUESTION, given)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (UNANSWERABLE, None),
        ({**UNANSWERABLE, "plausible_answers": [ANSWER]}, None),
        ({"is_impossible": False}, None),
        ({"is_impossible": True}, "true, but `answers` is not empty"),
        (
            {**UNANSWERABLE, "answers": MISSING},
            "`answers` is missing or no list",
        ),
        *(
            (
                {"is_impossible": odd, "answers": []},
                "`is_impossible` is no bool",
            )
            for odd in (None, 0, 1, "true", [])
        ),
        *(
            ({**unmarked, "answers": []}, ", unless `is_impossible` is true")
            for unmarked in ({}, {"is_impossible": False})
        ),
    ],
)
def test_an_unanswerable_question_says_so_and_has_no_answer(
    tmp_path, reader, changes, expected
):
    dataset = with_question(**changes)
    path = save(tmp_path, dataset)
    if expected and reader != "questions":
        message = error(reader, path)
        assert f"{IN_QUESTION}: " in message and expected in message
    else:
        assert READERS[reader]("--train", path) == dataset


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        (GOOD, False),
        (with_question(is_impossible=False), False),
        (with_question(**UNANSWERABLE), True),
    ],
)
def test_one_unanswerable_question_is_found(dataset, expected):
    assert squad.has_unanswerable(dataset) is expected


@pytest.mark.parametrize("mark", [False, True])
def test_marks_are_added_where_they_are_missing_and_nothing_else(mark):
    dataset = with_question(is_impossible=mark, more="kept")
    before = copy.deepcopy(dataset)
    marked = squad.marked(dataset)
    assert [
        question.pop("is_impossible") for _, question in squad.questions(marked)
    ] == [False, mark]
    assert dataset == before
    del dataset["data"][1]["paragraphs"][1]["qas"][1]["is_impossible"]
    assert marked == dataset
