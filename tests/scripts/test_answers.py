"""A model that finds no answer gives none; "empty" is a word."""

import json

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
def undecided(finetuned, changed):
    """Directory of a run in which no start is among the likeliest."""
    return changed(finetuned, "n_best_size: 20", "n_best_size: 0")


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
    assert predicted(model, blank, blank) == ["", ""]


def test_the_word_empty_stays_an_answer_whatever_the_logits(model):
    task, network = model
    weights = network.get_weights()
    for scale in (0, 1):
        network.set_weights([scale * weight for weight in weights])
        assert predicted(model, "empty") == ["empty"]


def test_candidates_are_parts_of_the_paragraph_and_the_best_is_first(model):
    (found,) = predict_squad.candidates(*model, dataset(PARAGRAPH)).values()
    texts, scores = ([one[key] for one in found] for key in ("text", "score"))
    # The model has seen no unanswerable question, so that none is empty.
    assert len(found) > 1 and all(text in PARAGRAPH for text in texts)
    assert "" not in texts and len(set(texts)) == len(texts)
    assert scores == sorted(scores, reverse=True)
    assert sum(scores) == pytest.approx(1)
    assert [predicted(model, PARAGRAPH)] == [texts[:1]]


@pytest.mark.parametrize(
    ("scores", "min_score", "expected"),
    [
        ([], 0, ""),
        ([0.6, 0.4], 0, "0.6"),
        ([0.6, 0.4], 0.6, "0.6"),
        ([0.6, 0.4], 0.61, ""),
        # The first is the answer, whatever its score.
        ([0.3, 0.7], 0, "0.3"),
        ([0.3, 0.7], 0.5, ""),
    ],
)
def test_the_first_candidate_is_chosen_if_its_score_is_high_enough(
    scores, min_score, expected
):
    found = [{"text": str(score), "score": score} for score in scores]
    assert predict_squad.chosen(found, min_score) == expected


def test_the_best_candidates_are_written_to_another_file(
    model, finetuned, folder, tmp_path
):
    output, best = tmp_path / "answers.json", tmp_path / "best.json"
    call(
        predict_squad,
        *("--model_dir", finetuned, "--input", folder / "squad.json"),
        *("--output", output, "--n_best_output", best, "--n_best", 2),
        *("--min_score", 1),
    )
    assert set(json.loads(output.read_text()).values()) == {""}
    asked = json.loads((folder / "squad.json").read_text())
    found = predict_squad.candidates(*model, asked)
    assert json.loads(best.read_text()) == {
        name: some[:2] for name, some in found.items()
    }


@pytest.mark.parametrize("option", ["--output", "--n_best_output"])
def test_a_file_is_not_written_over_another(complain, folder, tmp_path, option):
    asked, out = folder / "squad.json", tmp_path / "out"
    files = {"--input": asked, "--output": out, "--n_best_output": out}
    files[option] = asked if option == "--output" else out
    words = [word for file in files.items() for word in file]
    assert complain(predict_squad, *words) == (
        f"`{option}` must be another file than the others. "
        f"Received: {option}={files[option]}"
    )


@pytest.mark.parametrize("name", ["", "none/out.json"])
def test_predictions_are_written_to_a_file(complain, folder, tmp_path, name):
    options = ["--input", folder / "squad.json", "--output", tmp_path / name]
    assert complain(predict_squad, *options) == (
        "`--output` must be a file in a directory that exists. "
        f"Received: --output={tmp_path / name}"
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
