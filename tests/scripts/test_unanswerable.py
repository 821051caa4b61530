"""Questions without an answer, from SQuAD v2.0's files to predictions."""

import json
import re
import shutil

import pytest
from official.nlp.tasks import question_answering

import answer
import evaluate_squad
import finetune_squad
import predict_squad
import prepare_squad_data
from bert import vocabulary
from tests.support import tiny
from tests.support.tiny import PARAGRAPH
from tests.support.tiny import call
from tests.support.tiny import said
from tests.support.unanswerable import FILES
from tests.support.unanswerable import PARAGRAPHS
from tests.support.unanswerable import PIECES
from tests.support.unanswerable import RIGHT
from tests.support.unanswerable import UNANSWERABLE

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """Directory with questions, a vocabulary and configs."""
    folder = tmp_path_factory.mktemp("unanswerable")
    for name, questions in FILES.items():
        (folder / f"{name}.json").write_text(json.dumps(questions))
    vocabulary.write(str(folder / "vocab.txt"), PIECES)
    for name in ("tiny", "finetuning"):
        (folder / f"{name}.yaml").write_text(tiny.CONFIGS[name])
    return folder


def preparing(asked, train, dev, output):
    """Returns the options that prepare files."""
    return [
        *("--train", asked / f"{train}.json", "--dev", asked / f"{dev}.json"),
        *("--vocab", asked / "vocab.txt", "--output_dir", output),
        *("--max_seq_length", 32, "--max_query_length", 8, "--doc_stride", 8),
    ]


@pytest.fixture(scope="module")
def prepared(asked):
    """Directory of prepared questions of both kinds."""
    output = asked / "data"
    call(prepare_squad_data, *preparing(asked, "v2", "blank", output))
    return output


def finetuning(asked, data, model_dir, *more):
    """Returns the options of a run that learns the questions by heart."""
    return [
        *("--data_dir", data, "--model_dir", model_dir),
        *("--config", asked / "tiny.yaml", asked / "finetuning.yaml"),
        *("--params_override", "task: {train_data: {global_batch_size: 4}}"),
        # A model as narrow as this one starts to learn late with less.
        "--params_override",
        "task: {model: {encoder: {bert: {initializer_range: 0.3}}}}",
        *more,
    ]


@pytest.fixture(scope="module")
def run(asked, prepared):
    """Directory of a run on both kinds of questions."""
    more = ["--train_steps", 200, "--params_override", tiny.every(100)]
    model_dir = asked / "run"
    call(finetune_squad, *finetuning(asked, prepared, model_dir, *more))
    return model_dir


@pytest.fixture(scope="module")
def model(run):
    return predict_squad.load(str(run), "best")


@pytest.mark.parametrize(
    ("train", "dev", "unanswerable"),
    [("v1", "v1", False), ("v2", "v1", True), ("v2", "v2", True)],
)
def test_the_sizes_say_if_there_are_unanswerable_questions(
    asked, tmp_path, train, dev, unanswerable
):
    sizes = call(prepare_squad_data, *preparing(asked, train, dev, tmp_path))
    assert json.loads((tmp_path / "sizes.json").read_text()) == sizes
    assert sizes["unanswerable"] is unanswerable
    # Each question has one window.
    assert sizes["train_examples"] == (4 if unanswerable else 2)
    assert json.loads((tmp_path / "dev.json").read_text()) == FILES[dev]


def test_the_windows_of_an_unanswerable_question_point_at_their_beginning(
    prepared,
):
    found = {}
    for record in tiny.examples(prepared / "train.tfrecord"):
        (start,), (end,) = record["start_positions"], record["end_positions"]
        pieces = [PIECES[i] for i in record["input_ids"]]
        question = " ".join(pieces[1 : pieces.index("[SEP]")])
        found[question] = " ".join(pieces[start : end + 1])
        assert record["is_impossible"] == [int(start == 0)]
    cat, dog = (text for _, text in tiny.QUESTIONS.values())
    assert found == {
        "where did the cat sit ?": cat,
        "where did the dog run to ?": dog,
        "where did the cat run to ?": "[CLS]",
        "where did the dog sit ?": "[CLS]",
    }


@pytest.mark.parametrize("dev", ["v2", "blank"])
def test_what_no_question_to_train_on_teaches_is_not_evaluated_on(
    complain, asked, tmp_path, dev
):
    options = preparing(asked, "v1", dev, tmp_path / "out")
    assert complain(prepare_squad_data, *options) == (
        "`--dev` must hold no unanswerable question where --train holds none: "
        "the model would never have seen one. Take a --train file of SQuAD "
        "v2.0, or leave these questions out of --dev. "
        f"Received: --dev={asked / dev}.json"
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("given", [{}, {"unanswerable": "true"}])
def test_sizes_that_do_not_say_it_are_refused(
    complain, asked, prepared, tmp_path, given
):
    data = shutil.copytree(prepared, tmp_path / "data")
    sizes = json.loads((data / "sizes.json").read_text())
    del sizes["unanswerable"]
    (data / "sizes.json").write_text(json.dumps({**sizes, **given}))
    message = complain(
        finetune_squad, *finetuning(asked, data, tmp_path / "new")
    )
    assert "sizes.json lacks unanswerable" in message


def test_a_run_scores_both_kinds_of_questions_in_shares(run):
    entries = json.loads((run / "metrics.json").read_text())
    for scores in (entry["validation"] for entry in entries):
        for name in ("exact_match", "final_f1"):
            assert 0 <= scores[name] <= 1
        # Two have an answer, and three do not.
        overall, answerable, others = (
            scores[f"{kind}exact_match"]
            for kind in ("", "has_answer_", "no_answer_")
        )
        assert overall == pytest.approx((2 * answerable + 3 * others) / 5)
    best = json.loads((run / "best" / "info.json").read_text())
    assert best["final_f1"] == best["exact_match"] == 1


def test_a_run_on_questions_with_an_answer_has_their_metrics(asked, tmp_path):
    data, model_dir = tmp_path / "data", tmp_path / "run"
    call(prepare_squad_data, *preparing(asked, "v1", "v1", data))
    options = finetuning(asked, data, model_dir, "--train_steps", 1)
    scores = call(finetune_squad, *options)
    assert not [name for name in scores if "answer" in name]
    params = (model_dir / "params.yaml").read_text()
    assert params.count("version_2_with_negative: false") == 2


def test_what_was_learned_by_heart_is_answered_or_left_unanswered(
    asked, run, tmp_path
):
    output, best = tmp_path / "answers.json", tmp_path / "best.json"
    call(
        predict_squad,
        *("--model_dir", run, "--input", asked / "blank.json"),
        *("--output", output, "--n_best_output", best, "--n_best", 3),
    )
    assert json.loads(output.read_text()) == {**RIGHT, "blank": ""}
    candidates = json.loads(best.read_text())
    assert candidates.pop("blank") == []
    assert {k: v[0]["text"] for k, v in candidates.items()} == RIGHT
    options = ["--dataset", asked / "blank.json", "--predictions", output]
    scores = call(evaluate_squad, *options)
    assert scores.keys() >= {"exact_match", "f1", "no_answer_f1"}
    assert set(scores.values()) == {100}


@pytest.mark.parametrize("name", RIGHT)
def test_one_question_is_answered_or_said_to_have_no_answer(run, capsys, name):
    (question,) = (
        question
        for paragraph in FILES["v2"]["data"][0]["paragraphs"]
        for question in paragraph["qas"]
        if question["id"] == name
    )
    options = ["--paragraph", PARAGRAPH, "--question", question["question"]]
    assert call(answer, "--model_dir", run, *options) == RIGHT[name]
    what = repr(RIGHT[name]) if RIGHT[name] else "no answer"
    last = said(capsys)[-1]
    assert re.fullmatch(rf"{what} has the score [01]\.\d\d", last)


def test_a_score_that_is_too_low_gives_no_answer(model):
    found = predict_squad.candidates(*model, FILES["v2"])
    for name, some in found.items():
        score = some[0]["score"]
        assert predict_squad.chosen(some, score) == RIGHT[name]
        assert predict_squad.chosen(some, score + 1e-6) == ""
    answers = predict_squad.predict(*model, FILES["v2"], min_score=1)
    assert set(answers.values()) == {""}


def on_paragraphs():
    """Returns every question on every paragraph."""
    texts = [text for text, _ in tiny.QUESTIONS.values()]
    texts += UNANSWERABLE.values()
    paragraphs = [
        {
            "context": context,
            "qas": [
                {"id": f"{number} {text}", "question": text} for text in texts
            ],
        }
        for number, context in enumerate(PARAGRAPHS)
    ]
    return {"data": [{"paragraphs": paragraphs}]}


def with_settings(model, **settings):
    task, network = model
    return type(task)(task.task_config.replace(**settings)), network


def model_gardens(model, folder):
    """Returns Model Garden's answers, and by how much none is above them."""
    task, network = model
    path = folder / "asked.json"
    path.write_text(json.dumps(on_paragraphs()))
    data = task.task_config.validation_data.replace(
        input_path=str(path), input_preprocessed_data_path=str(folder)
    )
    stock = question_answering.QuestionAnsweringTask(task.task_config)
    answers, _, differences = question_answering.predict(stock, data, network)
    return dict(answers), differences


# The number of the difference that is the threshold, of twelve.
@pytest.mark.parametrize("place", [None, 0, 3, 6, 9, 11])
def test_the_answers_are_model_gardens_for_every_threshold(
    model, tmp_path, place
):
    threshold = 0.0
    if place is not None:
        _, differences = model_gardens(model, tmp_path)
        threshold = float(sorted(differences.values())[place])
    model = with_settings(model, null_score_diff_threshold=threshold)
    expected, differences = model_gardens(model, tmp_path)
    assert predict_squad.predict(*model, on_paragraphs()) == expected
    given = sum(map(bool, expected.values()))
    # What does not exceed the threshold is given.
    assert given == sum(value <= threshold for value in differences.values())
    if place is not None:
        assert given > place


@pytest.mark.parametrize("threshold", [-1000.0, 0.0, 1000.0])
def test_no_answer_is_among_the_candidates_and_the_answer_is_the_first(
    model, threshold
):
    model = with_settings(model, null_score_diff_threshold=threshold)
    found = predict_squad.candidates(*model, on_paragraphs())
    for first, *others in found.values():
        texts = [one["text"] for one in (first, *others)]
        assert texts.count("") == 1 and len(set(texts)) == len(texts)
        scores = [one["score"] for one in others]
        assert scores == sorted(scores, reverse=True)
        assert sum(scores, first["score"]) == pytest.approx(1)
        if threshold:
            assert bool(first["text"]) == (threshold > 0)
        else:
            assert first["score"] >= scores[0]


def test_no_answer_is_chosen_without_a_text_to_compare_it_with(model, capsys):
    # Without a start that is among the likeliest, no text is a candidate.
    hasty = with_settings(model, n_best_size=0)
    capsys.readouterr()
    found = predict_squad.candidates(*hasty, FILES["v2"])
    assert len(said(capsys)) == 2
    for some in found.values():
        texts = [one["text"] for one in some]
        assert "" in texts and any(texts)
    chosen = {name: some[0]["text"] for name, some in found.items()}
    assert chosen == predict_squad.predict(*model, FILES["v2"])
