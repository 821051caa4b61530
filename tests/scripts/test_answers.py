"""A model that finds no answer gives none; "empty" is a word."""

import json
import shutil

import pytest

import answer
import predict_squad
from tests.support.tiny import PARAGRAPH
from tests.support.tiny import call
from tests.support.tiny import said

pytestmark = pytest.mark.slow

QUESTION = "Where did the cat sit?"


@pytest.fixture(scope="module")
def model(finetuned):
    return predict_squad.load(str(finetuned), "best")


@pytest.fixture
def undecided(finetuned, tmp_path):
    """Directory of a run in which no start is among the likeliest."""
    run = tmp_path / "run"
    shutil.copytree(finetuned, run)
    params = (run / "params.yaml").read_text()
    assert params.count("n_best_size: 20") == 1
    (run / "params.yaml").write_text(
        params.replace("n_best_size: 20", "n_best_size: 0")
    )
    return run


def dataset(*contexts):
    """Returns the same question about several paragraphs."""
    paragraphs = [
        {"context": context, "qas": [{"id": str(i), "question": QUESTION}]}
        for i, context in enumerate(contexts)
    ]
    return {"data": [{"paragraphs": paragraphs}]}


def predicted(model, *contexts):
    answers = predict_squad.predict(*model, dataset(*contexts))
    return [answers[str(i)] for i in range(len(contexts))]


def test_a_paragraph_without_a_word_has_an_empty_answer(undecided, tmp_path):
    options = ["--paragraph", ".", "--question", "What?"]
    assert call(answer, "--model_dir", undecided, *options) == ""
    path, output = tmp_path / "asked.json", tmp_path / "predictions.json"
    path.write_text(json.dumps(dataset(".")))
    options = ["--input", path, "--output", output]
    call(predict_squad, "--model_dir", undecided, *options)
    assert json.loads(output.read_text()) == {"0": ""}


def test_what_the_likeliest_starts_and_ends_miss_is_found_among_all(undecided):
    model = predict_squad.load(str(undecided), "best")
    answers = predicted(model, PARAGRAPH, "cat", "empty", "?!")
    assert answers[0] and answers[0] in PARAGRAPH
    assert answers[1:] == ["cat", "empty", ""]


@pytest.mark.parametrize("blank", ["", " ", "\u200b", "\0", "\ufffd"])
def test_a_blank_paragraph_has_no_answer_and_spoils_no_other(model, blank):
    (alone,) = predicted(model, PARAGRAPH)
    assert alone and alone in PARAGRAPH
    assert predicted(model, PARAGRAPH, blank, PARAGRAPH) == [alone, "", alone]


@pytest.mark.parametrize("blank", ["", "\u200b"])
def test_without_any_text_there_is_no_answer(model, blank):
    assert predicted(model, blank, blank) == ["", ""]


def test_the_word_empty_stays_an_answer(model):
    assert predicted(model, "empty") == ["empty"]


def test_the_word_empty_stays_an_answer_whatever_the_logits(finetuned):
    task, network = predict_squad.load(str(finetuned), "best")
    network.set_weights([0 * weight for weight in network.get_weights()])
    assert predicted((task, network), "empty") == ["empty"]


@pytest.mark.parametrize("output", ["", "none/out.json"])
def test_predictions_are_written_to_a_file(
    complain, folder, finetuned, tmp_path, output
):
    output = tmp_path / output
    message = complain(
        predict_squad,
        *("--model_dir", finetuned, "--input", folder / "squad.json"),
        *("--output", output),
    )
    assert message == (
        "`--output` must be a file in a directory that exists. "
        f"Received: --output={output}"
    )


def test_predicting_says_how_far_it_is(model, monkeypatch, capsys):
    reached = []
    monkeypatch.setattr(
        predict_squad.Heartbeat, "reached", lambda _, text: reached.append(text)
    )
    capsys.readouterr()
    # Five questions, each about a paragraph of two windows, in batches of four.
    predicted(model, *[" ".join([PARAGRAPH] * 2)] * 5)
    first = said(capsys)[0]
    assert first == "answering: 5 questions"
    cutting, *batches, last = reached
    assert cutting == "cutting paragraphs into windows"
    windows = int(batches[0].split()[-1])
    assert windows > 5
    assert batches == [
        f"window {min(4 * n, windows)} of {windows}"
        for n in range(1, -(-windows // 4) + 1)
    ]
    assert last == "all windows, choosing the answers"
