"""The evaluation against SQuAD's leaderboard, and an independent one."""

import json
import lzma
import os
import random
import zipfile
from pathlib import Path

import pytest

import evaluate_squad
from tests.support.oracles import squad
from tests.support.tiny import call

DATA = Path(
    os.environ.get(
        "KERAS_CLIP_DATA",
        Path(__file__).resolve().parents[3] / "shared" / "data",
    )
)
DEV = DATA / "squad" / "dev-v1.1.json.zip"
PREDICTIONS = DATA / "squad" / "google-bert-ensemble-dev-predictions.json.xz"
# Right answers of a question, and a prediction.
ANSWERABLE = {
    "same": (["The Blue  Door!"], "blue door"),
    "part": (["the blue door", "a door of the house"], "door"),
    "other": (["the blue door"], "cat"),
    "several words": (["cat on a mat on a mat"], "on the mat, on it"),
    "none given": (["the blue door"], ""),
    "an article given": (["the blue door"], "the"),
}
# Where all of an answer is ignored, v2.0 leaves that answer out.
IGNORED = {
    "an article": (["the"], "door"),
    "an article or a door": (["the", "door"], ""),
    "an article rightly": (["the", "?!"], "A"),
}
UNANSWERABLE = {
    "rightly none": ([], ""),
    "ignored": ([], "The ..."),
    "invented": ([], "blue door"),
}


def scored(dataset, predictions):
    return call(
        evaluate_squad, "--dataset", dataset, "--predictions", predictions
    )


@pytest.mark.skipif(
    not (DEV.exists() and PREDICTIONS.exists()),
    reason=f"needs {DEV.name} and {PREDICTIONS.name} in KERAS_CLIP_DATA/squad",
)
def test_googles_published_predictions_have_their_published_scores(tmp_path):
    with zipfile.ZipFile(DEV) as archive:
        archive.extractall(tmp_path)
    predictions = tmp_path / "predictions.json"
    predictions.write_bytes(lzma.decompress(PREDICTIONS.read_bytes()))
    scores = scored(tmp_path / "dev-v1.1.json", predictions)
    assert scores["exact_match"] == pytest.approx(86.206, abs=5e-4)
    assert scores["f1"] == pytest.approx(92.196, abs=5e-4)


def files(folder, cases):
    """Writes questions with their answers, and predictions."""
    asked = [
        {
            "id": name,
            "question": "?",
            "answers": [{"text": text} for text in answers],
            "is_impossible": not answers,
        }
        for name, (answers, _) in cases.items()
    ]
    # In two paragraphs.
    paragraphs = [{"context": "", "qas": asked[i::2]} for i in range(2)]
    dataset = folder / "dataset.json"
    dataset.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    predictions = folder / "predictions.json"
    predictions.write_text(json.dumps({k: v for k, (_, v) in cases.items()}))
    return dataset, predictions


def expected(cases):
    """Returns the independent scores in percent."""
    found = squad.scores(
        {name: answers for name, (answers, _) in cases.items()},
        {name: given for name, (_, given) in cases.items()},
    )
    return {name: pytest.approx(100 * share) for name, share in found.items()}


def drawn(seed):
    """Returns random cases, unanswerable ones among them."""
    rng = random.Random(seed)
    words = ["the", "a", "blue", "Blue", "door", "door.", "cat", "!", ""]

    def text():
        return " ".join(rng.choices(words, k=rng.randrange(5)))

    cases = {
        str(i): ([text() for _ in range(rng.randrange(4))], text())
        for i in range(rng.randint(1, 12))
    }
    return {**cases, "none": ([], text())}


@pytest.mark.parametrize(
    "cases",
    [
        UNANSWERABLE,
        {**ANSWERABLE, **UNANSWERABLE},
        {**ANSWERABLE, **IGNORED, **UNANSWERABLE},
        *map(drawn, range(10)),
    ],
)
def test_unanswerable_questions_are_scored_as_by_an_independent_evaluation(
    tmp_path, cases
):
    assert scored(*files(tmp_path, cases)) == expected(cases)


def test_without_unanswerable_questions_there_are_two_scores(tmp_path):
    scores = scored(*files(tmp_path, ANSWERABLE))
    assert scores.keys() == {"exact_match", "f1"}
    assert scores == {k: expected(ANSWERABLE)[k] for k in scores}


def test_of_an_unanswerable_question_only_no_answer_is_right(tmp_path):
    scores = scored(*files(tmp_path, {**ANSWERABLE, **UNANSWERABLE}))
    assert scores["no_answer_exact_match"] == pytest.approx(200 / 3)
    assert scores["no_answer_f1"] == scores["no_answer_exact_match"]
    assert scores["has_answer_exact_match"] == pytest.approx(100 / 6)
    assert scores["exact_match"] == pytest.approx(300 / 9)


def test_a_prediction_for_another_question_is_left_out(tmp_path):
    cases = {**ANSWERABLE, **UNANSWERABLE}
    dataset, predictions = files(tmp_path, cases)
    given = json.loads(predictions.read_text())
    predictions.write_text(json.dumps({"unasked": "door", **given}))
    assert scored(dataset, predictions) == expected(cases)


@pytest.mark.parametrize(
    ("left_out", "what"),
    [
        (["other"], "1 of 9 are missing, such as 'other'"),
        (["invented", "same"], "2 of 9 are missing, such as 'same'"),
        ({**ANSWERABLE, **UNANSWERABLE}, "9 of 9 are missing, such as 'same'"),
    ],
)
def test_with_unanswerable_questions_each_needs_a_prediction(
    complain, tmp_path, left_out, what
):
    dataset, predictions = files(tmp_path, {**ANSWERABLE, **UNANSWERABLE})
    given = json.loads(predictions.read_text())
    kept = {name: text for name, text in given.items() if name not in left_out}
    predictions.write_text(json.dumps(kept))
    options = ["--dataset", dataset, "--predictions", predictions]
    assert complain(evaluate_squad, *options) == (
        "`--predictions` must hold an answer to each question of --dataset, "
        f"empty where there is none; {what}. "
        f"Received: --predictions={predictions}"
    )


def test_scores_are_percentages_over_the_best_of_several_answers(tmp_path):
    answers = [{"text": "The Blue  Door!"}, {"text": "door of the house"}]
    asked = [
        {"id": name, "question": "?", "answers": answers}
        for name in ("same", "part", "other", "missing")
    ]
    dataset = tmp_path / "dataset.json"
    dataset.write_text(
        json.dumps({"data": [{"paragraphs": [{"context": "", "qas": asked}]}]})
    )
    predictions = tmp_path / "predictions.json"
    predictions.write_text(
        json.dumps({"same": "blue door", "part": "door", "other": "cat"})
    )
    scores = scored(dataset, predictions)
    # "door" has precision 1 and recall 1/2 of "blue door": F1 is 2/3.
    assert scores["exact_match"] == pytest.approx(25)
    assert scores["f1"] == pytest.approx(25 * (1 + 2 / 3))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], "an object from question id to answer"),
        *(
            (
                {"dog": "the blue door", "cat": answer},
                "text as the answer to each question; that to 'cat' is "
                f"{answer!r}",
            )
            for answer in (None, 3, ["the red mat"])
        ),
    ],
)
def test_predictions_must_be_an_object_of_texts(
    complain, folder, tmp_path, given, expected
):
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps(given))
    options = ["--dataset", folder / "squad.json", "--predictions", path]
    assert complain(evaluate_squad, *options) == (
        f"`--predictions` must hold {expected}. Received: --predictions={path}"
    )
