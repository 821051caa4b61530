"""The evaluation against what SQuAD's leaderboard says of BERT."""

import json
import lzma
import os
import zipfile
from pathlib import Path

import pytest

import evaluate_squad

DATA = Path(
    os.environ.get(
        "KERAS_CLIP_DATA",
        Path(__file__).resolve().parents[3] / "shared" / "data",
    )
)
DEV = DATA / "squad" / "dev-v1.1.json.zip"
PREDICTIONS = DATA / "squad" / "google-bert-ensemble-dev-predictions.json.xz"


def evaluate(dataset, predictions):
    return evaluate_squad.run(
        evaluate_squad.parser().parse_args(
            ["--dataset", str(dataset), "--predictions", str(predictions)]
        )
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
    scores = evaluate(tmp_path / "dev-v1.1.json", predictions)
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
    scores = evaluate(dataset, predictions)
    # "door" has precision 1 and recall 1/2 of "blue door": F1 is 2/3.
    assert scores["exact_match"] == pytest.approx(25)
    assert scores["f1"] == pytest.approx(25 * (1 + 2 / 3))


def test_predictions_must_be_an_object(complain, folder, tmp_path):
    path = tmp_path / "predictions.json"
    path.write_text("[]")
    message = complain(
        evaluate_squad,
        *("--dataset", folder / "squad.json", "--predictions", path),
    )
    assert message == (
        "`--predictions` must hold an object from question id to answer. "
        f"Received: --predictions={path}"
    )


@pytest.mark.parametrize("text", [None, 3, ["the red mat"]])
def test_a_prediction_must_be_text(complain, folder, tmp_path, text):
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps({"dog": "the blue door", "cat": text}))
    message = complain(
        evaluate_squad,
        *("--dataset", folder / "squad.json", "--predictions", path),
    )
    assert message == (
        "`--predictions` must hold text as the answer to each question; that "
        f"to 'cat' is {text!r}. Received: --predictions={path}"
    )
