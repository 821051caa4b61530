"""Registers Model Garden's BERT experiments with this package's optimizers."""

import dataclasses

from official.core import config_definitions
from official.core import exp_factory
from official.nlp.configs import finetuning_experiments
from official.nlp.configs import pretraining_experiments

from keras_clip.model_garden.configs import OptimizationConfig
from keras_clip.model_garden.question_answering import QuestionAnsweringConfig
from keras_clip.model_garden.sentence_prediction import SentencePredictionConfig
from keras_clip.registry import OPTIMIZERS

# Names of the variables that do not decay in BERT.
_UNDECAYED = ["LayerNorm", "layer_norm", "bias"]


@exp_factory.register_config_factory("keras_clip/bert/pretraining")
def bert_pretraining() -> config_definitions.ExperimentConfig:
    """Returns `bert/pretraining` with ACClip as in Zhang et al., section 5.2.

    The loss is scaled by the number of replicas, so that a gradient is the mean
    over the global batch and a threshold does not depend on their number.
    """
    config = _with_acclip(
        pretraining_experiments.bert_pretraining(), learning_rate=1e-4
    )
    config.task.scale_loss = True
    return config


@exp_factory.register_config_factory("keras_clip/bert/squad")
def bert_squad() -> config_definitions.ExperimentConfig:
    """Returns `bert/squad` with ACClip.

    Its task is `QuestionAnsweringTask`, which scores unanswerable questions as
    SQuAD v2.0 does.
    """
    config = finetuning_experiments.bert_squad()
    config.task = _as(QuestionAnsweringConfig, config.task)
    return _with_acclip(config, learning_rate=8e-5)


@exp_factory.register_config_factory("keras_clip/bert/sentence_prediction")
def bert_sentence_prediction() -> config_definitions.ExperimentConfig:
    """Returns `bert/sentence_prediction` with ACClip.

    Its task is `SentencePredictionTask`, whose regression is a right one.
    """
    config = finetuning_experiments.bert_sentence_prediction()
    config.task = _as(SentencePredictionConfig, config.task)
    return _with_acclip(config, learning_rate=3e-5)


def _as(
    config_class: type[config_definitions.TaskConfig],
    config: config_definitions.TaskConfig,
) -> config_definitions.TaskConfig:
    """Returns a task's config as that of a subclass with the same fields."""
    return config_class(
        **{
            field.name: getattr(config, field.name)
            for field in dataclasses.fields(config)
        }
    )


def _with_acclip(
    config: config_definitions.ExperimentConfig, learning_rate: float
) -> config_definitions.ExperimentConfig:
    """Returns an experiment of Model Garden with its optimizer replaced.

    The same variables are excluded from weight decay, whichever optimizer of
    this package the YAML names.
    """
    config.trainer.optimizer_config = OptimizationConfig(
        {
            "optimizer": {
                "type": "acclip",
                **{
                    name: {"exclude_from_weight_decay": _UNDECAYED}
                    for name in OPTIMIZERS
                },
            },
            "learning_rate": {
                "type": "polynomial",
                "polynomial": {
                    "initial_learning_rate": learning_rate,
                    "end_learning_rate": 0.0,
                },
            },
            "warmup": {"type": "polynomial"},
        }
    )
    return config
