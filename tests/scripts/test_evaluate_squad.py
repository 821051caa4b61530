"""The evaluation against what SQuAD's leaderboard says of BERT."""

import json
import lzma
import os
import zipfile
from pathlib import Path

import pytest

import evaluate_squad
from tests.support.tiny import call

DATA = Path(
    os.environ.get(
        "KERAS_CLIP_DATA",
        Path(__file__).resolve().parents[3] / "shared" / "data",
    )
)
DEV = DATA / "squad" / "dev-v1.1.json.zip"
PREDICTIONS = DATA / "squad" / "google-bert-ensemble-dev-predictions.json.xz"


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
