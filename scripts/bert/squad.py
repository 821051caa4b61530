"""Reads SQuAD files, v1.1 and v2.0, and checks them, question by question.

In v2.0 a question may be unanswerable: `is_impossible` is true and `answers`
is empty. There may be `plausible_answers`, which nothing reads.
"""

from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping

from bert import texts
from command_line import InputError
from command_line import files

_WAY_OUT = ", unless `is_impossible` is true"


def read_training(argument: str, path: str) -> dict:
    """Returns a file of questions with one answer each, in its paragraph.

    Unanswerable questions are without one.

    Args:
        argument: Name of the command line's argument, for errors.
        path: JSON file, compressed or not.

    Returns:
        The parsed JSON.

    Raises:
        InputError: If the file is anything else; the message names the article
            and the question.
    """
    return _read(argument, path, _check_one_answer)


def read_references(argument: str, path: str) -> dict:
    """Returns a file of questions with answers to compare with.

    Unanswerable questions are without one.

    Args:
        argument: Name of the command line's argument, for errors.
        path: JSON file, compressed or not.

    Returns:
        The parsed JSON.

    Raises:
        InputError: As `read_training`.
    """
    return _read(argument, path, _with_unique_ids(_check_has_answer))


def read_questions(argument: str, path: str) -> dict:
    """Returns a file of questions, whose answers are not checked.

    Args:
        argument: Name of the command line's argument, for errors.
        path: JSON file, compressed or not.

    Returns:
        The parsed JSON.

    Raises:
        InputError: As `read_training`.
    """
    return _read(
        argument,
        path,
        _with_unique_ids(lambda question, context: None),
    )


def questions(dataset: Mapping) -> Iterator[tuple[str, Mapping]]:
    """Yields the questions with their paragraphs.

    Args:
        dataset: The parsed JSON.

    Yields:
        Tuples of a paragraph and a question about it.
    """
    for article in dataset["data"]:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                yield paragraph["context"], question


def has_unanswerable(dataset: Mapping) -> bool:
    """Returns whether a question of a dataset is unanswerable.

    Args:
        dataset: The parsed JSON, of `read_training` or `read_references`.

    Returns:
        Whether there is one.
    """
    return any(
        question.get("is_impossible", False)
        for _, question in questions(dataset)
    )


def marked(dataset: Mapping) -> dict:
    """Returns a dataset whose questions all say if they are unanswerable.

    Args:
        dataset: The parsed JSON, of `read_training` or `read_references`.

    Returns:
        A copy with the key `is_impossible` in every question.
    """
    articles = [
        {
            **article,
            "paragraphs": [
                {
                    **paragraph,
                    "qas": [
                        {"is_impossible": False, **question}
                        for question in paragraph["qas"]
                    ],
                }
                for paragraph in article["paragraphs"]
            ],
        }
        for article in dataset["data"]
    ]
    return {**dataset, "data": articles}


class _Malformed(Exception):
    pass


def _read(
    argument: str, path: str, check_answers: Callable[[Mapping, str], None]
) -> dict:
    dataset = files.read_json(argument, path)
    try:
        count = 0
        for number, article in enumerate(_field(dataset, "data", list)):
            where = f"article {number}"
            try:
                if isinstance(article, Mapping) and "title" in article:
                    where += f", {article['title']!r}"
                count += _check_article(article, check_answers)
            except _Malformed as error:
                raise _Malformed(f"{where}, {error}") from error
        if not count:
            raise _Malformed("there is no question")
    except _Malformed as error:
        raise InputError(
            f"`{argument}` must be SQuAD: {error}. Received: {argument}={path}"
        ) from error
    return dataset


def _check_article(article, check_answers):
    """Checks an article, and returns the number of its questions."""
    count = 0
    for number, paragraph in enumerate(_field(article, "paragraphs", list)):
        where = f"paragraph {number}"
        try:
            context = _field(paragraph, "context", str)
            questions = _field(paragraph, "qas", list)
            for position, question in enumerate(questions):
                where = f"paragraph {number}, question {position}"
                where = f"question {_field(question, 'id', str)!r}"
                if texts.is_blank(_field(question, "question", str)):
                    raise _Malformed("`question` is empty")
                check_answers(question, context)
        except _Malformed as error:
            raise _Malformed(f"{where}: {error}") from error
        count += len(questions)
    return count


def _with_unique_ids(check_answers):
    """Returns a check of questions that also checks for unique ids."""
    seen = set()

    def check(question, context):
        if question["id"] in seen:
            raise _Malformed("`id` is there twice")
        seen.add(question["id"])
        check_answers(question, context)

    return check


def _is_unanswerable(question):
    """Returns whether a question says so, checked against its answers."""
    # Missing in SQuAD v1.1.
    says_so = question.get("is_impossible", False)
    if not isinstance(says_so, bool):
        raise _Malformed("`is_impossible` is no bool")
    answers = _field(question, "answers", list)
    if says_so and answers:
        raise _Malformed("`is_impossible` is true, but `answers` is not empty")
    return says_so


def _check_one_answer(question, context):
    if _is_unanswerable(question):
        return
    answers = question["answers"]
    if len(answers) != 1:
        raise _Malformed(
            f"`answers` must hold exactly one answer, not {len(answers)}"
            f"{'' if answers else _WAY_OUT}"
        )
    text = _field(answers[0], "text", str)
    start = _field(answers[0], "answer_start", int)
    if not text or start < 0 or not context.startswith(text, start):
        raise _Malformed(f"{text!r} is not at `answer_start` {start}")
    if texts.is_blank(text):
        raise _Malformed(f"{text!r} is no text")


def _check_has_answer(question, context):
    if not _is_unanswerable(question) and not question["answers"]:
        raise _Malformed(f"`answers` must hold an answer{_WAY_OUT}")
    for answer in question["answers"]:
        _field(answer, "text", str)


def _field(record, name, kind):
    if not isinstance(record, Mapping) or not isinstance(
        record.get(name), kind
    ):
        raise _Malformed(f"`{name}` is missing or no {kind.__name__}")
    return record[name]
