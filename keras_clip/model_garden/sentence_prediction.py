"""Corrects the regression of Model Garden's task on sentences."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import tensorflow as tf
import tf_keras
from official.core import task_factory
from official.nlp.tasks import sentence_prediction
from scipy import stats


@dataclasses.dataclass
class SentencePredictionConfig(sentence_prediction.SentencePredictionConfig):
    """Config of `SentencePredictionTask`, with Model Garden's fields."""


@task_factory.register_task_cls(SentencePredictionConfig)
class SentencePredictionTask(sentence_prediction.SentencePredictionTask):
    """Classifies sentences, or predicts a number, where `num_classes` is 1.

    Model Garden's regression subtracts labels of shape `(batch,)` from
    predictions of shape `(batch, 1)`, which compares all pairs of both, and
    never updates its metric (official/nlp/tasks/sentence_prediction.py,
    2.20.0). Here each prediction is compared with its own label, and both
    correlations of GLUE's STS-B are reported beside their mean.

    Args:
        params: A `SentencePredictionConfig`.
        logging_dir: Directory of the run.
        name: Name of the task.

    Raises:
        ValueError: If `metric_type` does not exist.

    Example:

    >>> import tensorflow as tf
    >>> from official.core import exp_factory, task_factory
    >>> import keras_clip.model_garden
    >>> name = "keras_clip/bert/sentence_prediction"
    >>> params = exp_factory.get_exp_config(name)
    >>> params.override({"task": {"model": {"num_classes": 1}}})
    >>> task = task_factory.get_task(params.task)
    >>> labels = {"label_ids": tf.constant([1.0, 4.0])}
    >>> float(task.build_losses(labels, tf.constant([[1.0], [2.0]])))
    2.0
    """

    def build_losses(
        self,
        labels: Mapping[str, tf.Tensor],
        model_outputs: tf.Tensor,
        aux_losses: list[tf.Tensor] | None = None,
    ) -> tf.Tensor:
        """Returns the mean loss of a batch.

        Args:
            labels: Dict with the labels, of shape `(batch,)`.
            model_outputs: Predictions, of shape `(batch, num_classes)`.
            aux_losses: Losses that are added.

        Returns:
            Scalar tensor.
        """
        if self._is_regression:
            model_outputs = tf.cast(model_outputs, tf.float32)
            labels = {self.label_field: self._column(labels)}
        return super().build_losses(labels, model_outputs, aux_losses)

    def build_metrics(
        self, training: bool | None = None
    ) -> list[tf_keras.metrics.Metric]:
        """Returns the metrics, in mixed precision without Model Garden's AUC.

        It cannot be evaluated there (tf_keras/src/metrics, 2.20.1).

        Args:
            training: Whether they are of training.
        """
        metrics = super().build_metrics(training)
        policy = tf_keras.mixed_precision.global_policy()
        if policy.compute_dtype != policy.variable_dtype:
            metrics = [one for one in metrics if one.name != "auc"]
        return metrics

    def process_metrics(
        self,
        metrics: list[tf_keras.metrics.Metric],
        labels: Mapping[str, tf.Tensor],
        model_outputs: tf.Tensor,
    ) -> None:
        """Updates the metrics of a batch.

        Args:
            metrics: The metrics.
            labels: Dict with the labels, of shape `(batch,)`.
            model_outputs: Predictions, of shape `(batch, num_classes)`.
        """
        super().process_metrics(metrics, labels, model_outputs)
        if self._is_regression:
            for metric in metrics:
                metric.update_state(self._column(labels), model_outputs)

    def reduce_aggregated_logs(
        self,
        aggregated_logs: Mapping[str, list[np.ndarray]],
        global_step: tf.Tensor | None = None,
    ) -> dict[str, float] | None:
        """Returns the metrics of all predictions together.

        Args:
            aggregated_logs: Dict of lists of predictions and labels.
            global_step: Step of the evaluation.

        Returns:
            Dict from metric to value. The correlation with predictions that
            are all the same is 0.
        """
        if self.metric_type != "pearson_spearman_corr":
            return super().reduce_aggregated_logs(aggregated_logs, global_step)
        predictions, labels = (
            # NumPy computes nothing with bfloat16.
            np.concatenate(aggregated_logs[name]).astype(float).reshape(-1)
            for name in ("sentence_prediction", "labels")
        )
        pearson = spearman = 0.0
        if np.ptp(predictions) and np.ptp(labels):
            pearson = float(stats.pearsonr(predictions, labels)[0])
            spearman = float(stats.spearmanr(predictions, labels)[0])
        return {
            "pearson_corr": pearson,
            "spearman_corr": spearman,
            self.metric_type: (pearson + spearman) / 2,
        }

    @property
    def _is_regression(self) -> bool:
        return self.task_config.model.num_classes == 1

    def _column(self, labels):
        return tf.reshape(labels[self.label_field], [-1, 1])
