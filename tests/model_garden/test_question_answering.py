"""Questions without an answer are scored by the official rule.

The logits are made by hand, so that the scores can be told beforehand.
"""

import doctest
import json

import numpy as np
import pytest
from official.core import exp_factory
from official.core import task_factory
from official.nlp.tasks import question_answering as stock

from keras_clip.model_garden import QuestionAnsweringConfig
from keras_clip.model_garden import QuestionAnsweringTask
from keras_clip.model_garden import question_answering
from tests.support.oracles import squad as oracle

CONTEXT = "The cat sat on the red mat. The dog ran to the blue door."
PIECES = (
    "[PAD] [UNK] [CLS] [SEP] [MASK] the cat sat on red mat . dog ran to blue "
    "door who ?"
)
# By question: the right answers, the model's best answer, and by how much its
# score is below that of no answer.
RIGHT = {
    "found": (["the red mat"], "red mat", -8),
    "part": (["blue door"], "ran to the blue door", -4),
    "missed": (["the blue door"], "blue door", 1),
}
NONE = {
    "silent": ([], "cat", 5),
    "invented": ([], "dog", -2),
}
CASES = {**RIGHT, **NONE}
# A model answers where the difference does not exceed the threshold.
THRESHOLDS = [-100, -8, -7.5, -4, -2, 0, 0.5, 1, 5, 100]


def answers(cases, threshold):
    return {
        name: best if difference <= threshold else ""
        for name, (_, best, difference) in cases.items()
    }


def make(folder, cases, version_2=True, blank=(), threshold=0.0, **settings):
    """Returns the task that evaluates cases, some on an empty paragraph."""
    paragraphs = [
        {
            "context": "\u200b" if name in blank else CONTEXT,
            "qas": [
                {
                    "id": name,
                    "question": "Who?",
                    "answers": [{"text": text} for text in right],
                }
            ],
        }
        for name, (right, *_) in cases.items()
    ]
    dataset = folder / "dev.json"
    dataset.write_text(json.dumps({"data": [{"paragraphs": paragraphs}]}))
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(PIECES.split()))
    data = {
        "input_path": str(dataset),
        "vocab_file": str(vocabulary),
        "is_training": False,
        "global_batch_size": 2,
        "seq_length": 24,
        "version_2_with_negative": version_2,
        **settings,
    }
    params = exp_factory.get_exp_config("keras_clip/bert/squad").task
    params.override(
        {"null_score_diff_threshold": threshold, "validation_data": data}
    )
    return task_factory.get_task(params, logging_dir=str(folder))


def logits(task, cases):
    """Returns what a model says of each window, by hand."""
    found = []
    for feature in task._eval_features:
        name = task._eval_examples[feature.example_index].qas_id
        _, best, difference = cases[name]
        start, end = np.full([2, len(feature.input_ids)], -50, np.float32)
        start[0] = end[0] = difference / 2
        wanted = best.split()
        for place in range(1, len(feature.tokens)):
            if feature.tokens[place : place + len(wanted)] == wanted:
                start[place] = end[place + len(wanted) - 1] = 0
        found.append(stock.RawAggregatedResult(feature.unique_id, start, end))
    return found


def scored(task, cases):
    return task.reduce_aggregated_logs(logits(task, cases))


def expected(cases, predictions):
    """Returns the independent scores, by the names of the task."""
    right = {name: case[0] for name, case in cases.items()}
    scores = oracle.scores(right, predictions)
    scores["final_f1"] = scores.pop("f1")
    scores.pop("no_answer_f1", None)
    return {name: pytest.approx(share) for name, share in scores.items()}


def test_the_experiments_task_is_registered():
    params = exp_factory.get_exp_config("keras_clip/bert/squad")
    assert type(params.task) is QuestionAnsweringConfig
    assert type(task_factory.get_task(params.task)) is QuestionAnsweringTask
    theirs = exp_factory.get_exp_config("bert/squad").task
    assert params.task.as_dict() == theirs.as_dict()
    assert type(task_factory.get_task(theirs)) is stock.QuestionAnsweringTask


def test_the_example_in_the_docstring_holds():
    tested = doctest.testmod(question_answering)
    assert tested.attempted and not tested.failed


@pytest.mark.parametrize("threshold", THRESHOLDS)
def test_the_metrics_are_those_of_an_independent_evaluation(
    tmp_path, threshold
):
    scores = scored(make(tmp_path, CASES, threshold=threshold), CASES)
    assert scores == expected(CASES, answers(CASES, threshold))


def test_the_metrics_are_shares_of_the_answers_that_are_given(tmp_path):
    # Of five, one is found and one is silent, and two words of four overlap.
    assert scored(make(tmp_path, CASES), CASES) == {
        "exact_match": pytest.approx(2 / 5),
        "final_f1": pytest.approx((2 + 2 / 3) / 5),
        "has_answer_exact_match": pytest.approx(1 / 3),
        "has_answer_f1": pytest.approx((1 + 2 / 3) / 3),
        "no_answer_exact_match": pytest.approx(1 / 2),
    }


def test_the_best_threshold_on_the_same_data_is_not_searched(tmp_path):
    task = make(tmp_path, CASES)
    searched = stock.QuestionAnsweringTask.reduce_aggregated_logs(
        task, logits(task, CASES)
    )
    # Without "invented", and in percent.
    assert searched["exact_match"] == pytest.approx(100 * 3 / 5)
    assert scored(task, CASES)["exact_match"] == pytest.approx(2 / 5)


@pytest.mark.parametrize("cases", [RIGHT, NONE])
def test_questions_of_one_kind_have_no_metrics_of_the_other(tmp_path, cases):
    scores = scored(make(tmp_path, cases), cases)
    assert scores == expected(cases, answers(cases, 0))
    kinds = {name.rpartition("answer")[0] for name in scores}
    assert kinds == {"", "has_" if cases is RIGHT else "no_"}


@pytest.mark.parametrize("blank", [["silent"], ["found", "silent"], [*NONE]])
def test_a_question_about_an_empty_paragraph_has_no_answer(tmp_path, blank):
    task = make(tmp_path, CASES, blank=blank)
    predictions = {**answers(CASES, 0), **dict.fromkeys(blank, "")}
    assert scored(task, CASES) == expected(CASES, predictions)


def test_other_questions_keep_their_windows_beside_an_empty_paragraph(tmp_path):
    # What is a part of one window only.
    cases = {name: case for name, case in CASES.items() if name != "part"}
    settings = {"seq_length": 12, "doc_stride": 3, "query_length": 4}
    task = make(tmp_path, cases, blank=["found", "silent"], **settings)
    assert len(task._eval_features) > len(cases)
    predictions = {**answers(cases, 0), "found": "", "silent": ""}
    assert scored(task, cases) == expected(cases, predictions)


def test_without_unanswerable_questions_nothing_changes(tmp_path):
    task = make(tmp_path, RIGHT, version_2=False)
    theirs = stock.QuestionAnsweringTask.reduce_aggregated_logs(
        task, logits(task, RIGHT)
    )
    assert scored(task, RIGHT) == theirs
    assert theirs == {
        "exact_match": pytest.approx(2 / 3),
        "final_f1": pytest.approx((2 + 2 / 3) / 3),
    }


def test_a_question_without_a_prediction_is_scored_as_without_an_answer():
    params = exp_factory.get_exp_config("keras_clip/bert/squad").task
    task = task_factory.get_task(params)
    asked = [
        {"id": name, "answers": [{"text": text} for text in right]}
        for name, (right, *_) in CASES.items()
    ]
    scores = task.score_version_2([{"paragraphs": [{"qas": asked}]}], {})
    assert scores == expected(CASES, dict.fromkeys(CASES, ""))
