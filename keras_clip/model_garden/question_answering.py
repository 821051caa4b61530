"""Scores Model Garden's task on questions as SQuAD v2.0 does."""

import dataclasses
import json
from collections.abc import Mapping
from collections.abc import Sequence

import tensorflow as tf
from official.core import task_factory
from official.nlp.tasks import question_answering
from official.nlp.tools import squad_evaluate_v2_0

# Names in the official evaluation of SQuAD v2.0.
_METRICS = {
    "exact_match": "exact",
    "final_f1": "f1",
    "has_answer_exact_match": "HasAns_exact",
    "has_answer_f1": "HasAns_f1",
    "no_answer_exact_match": "NoAns_exact",
}


@dataclasses.dataclass
class QuestionAnsweringConfig(question_answering.QuestionAnsweringConfig):
    """Config of `QuestionAnsweringTask`, with Model Garden's fields."""


@task_factory.register_task_cls(QuestionAnsweringConfig)
class QuestionAnsweringTask(question_answering.QuestionAnsweringTask):
    """Answers questions, or gives no answer, where some are unanswerable.

    They are where `validation_data.version_2_with_negative` is true. Model
    Garden then reports the scores with the best threshold for giving no answer
    on the very data that are evaluated, exact match in percent and F1 as a
    share, and needs a question with an answer; and it fails on paragraphs
    without a token (official/nlp/tasks/question_answering.py and
    official/nlp/data/squad_lib.py, 2.20.0). Here the answers are those of
    `null_score_diff_threshold`, and the metrics are shares of 1.

    Args:
        params: A `QuestionAnsweringConfig`.
        logging_dir: Directory of the run.
        name: Name of the task.

    Raises:
        ValueError: If the tokenization does not exist, or there are data to
            evaluate on but no directory for their records.

    Example:

    >>> from official.core import exp_factory, task_factory
    >>> import keras_clip.model_garden
    >>> params = exp_factory.get_exp_config("keras_clip/bert/squad")
    >>> task = task_factory.get_task(params.task)
    >>> asked = [
    ...     {"id": "who", "answers": [{"text": "The dog"}]},
    ...     {"id": "when", "answers": []},
    ... ]
    >>> articles = [{"paragraphs": [{"qas": asked}]}]
    >>> answers = {"who": "a dog", "when": "today"}
    >>> scores = task.score_version_2(articles, answers)
    >>> scores["final_f1"], scores["has_answer_f1"]
    (0.5, 1.0)
    >>> scores["no_answer_exact_match"]
    0.0
    """

    def reduce_aggregated_logs(
        self,
        aggregated_logs: Sequence[question_answering.RawAggregatedResult],
        global_step: tf.Tensor | None = None,
    ) -> dict[str, float]:
        """Returns the metrics of all predictions together.

        Args:
            aggregated_logs: The logits of every window.
            global_step: Step of the evaluation.

        Returns:
            Dict from metric to value, for version 2 of `score_version_2`.
        """
        config = self.task_config
        data = config.validation_data
        if not data.version_2_with_negative:
            return super().reduce_aggregated_logs(aggregated_logs, global_step)
        predictions, _, _ = self.squad_lib.postprocess_output(
            self._eval_examples,
            self._eval_features,
            aggregated_logs,
            config.n_best_size,
            config.max_answer_length,
            data.do_lower_case,
            version_2_with_negative=True,
            null_score_diff_threshold=config.null_score_diff_threshold,
            xlnet_format=data.xlnet_format,
            verbose=False,
        )
        with tf.io.gfile.GFile(data.input_path) as file:
            articles = json.load(file)["data"]
        return self.score_version_2(articles, predictions)

    def score_version_2(
        self, articles: Sequence[Mapping], predictions: Mapping[str, str]
    ) -> dict[str, float]:
        """Returns the scores of SQuAD v2.0's official evaluation.

        Args:
            articles: Articles of SQuAD, whose unanswerable questions are
                without `answers`.
            predictions: Answers by question id. A question that is not there
                has no answer.

        Returns:
            Dict with `exact_match` and `final_f1`; with
            `has_answer_exact_match` and `has_answer_f1` if there are questions
            with an answer, and with `no_answer_exact_match` if there are
            others. All are shares of 1.
        """
        given = {
            question["id"]: predictions.get(question["id"], "")
            for article in articles
            for paragraph in article["paragraphs"]
            for question in paragraph["qas"]
        }
        scores = squad_evaluate_v2_0.evaluate(articles, given)
        return {
            name: scores[official] / 100
            for name, official in _METRICS.items()
            if official in scores
        }

    def _preprocess_eval_data(self, params):
        """Returns what Model Garden does, but no example without a window."""
        path, examples, features = super()._preprocess_eval_data(params)
        if params.version_2_with_negative:
            # Model Garden looks for their first window.
            used = sorted({feature.example_index for feature in features})
            places = {index: place for place, index in enumerate(used)}
            examples = [examples[index] for index in used]
            for feature in features:
                feature.example_index = places[feature.example_index]
        return path, examples, features
