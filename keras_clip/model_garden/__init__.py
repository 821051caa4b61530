"""Registers the optimizers with TF Model Garden on import, for use in YAML.

They are added to Model Garden's optimizer factory. The configs of the
experiments `keras_clip/bert/pretraining`, `keras_clip/bert/squad` and
`keras_clip/bert/sentence_prediction`, which are registered too, can name them:

```yaml
trainer:
  optimizer_config:
    optimizer:
      type: acclip
      acclip: {beta_2: 0.999, alpha: 1.5}
```

Model Garden's `official.nlp.train` can use them too if a gin file, passed as
`--gin_file`, contains the line `import keras_clip.model_garden`.
"""

try:
    import official.core  # noqa: F401
    import official.nlp.configs.experiment_configs  # noqa: F401
except ImportError as error:
    raise ImportError(
        "`keras_clip.model_garden` needs TF Model Garden, and setuptools "
        "older than 82: pip install tf-models-official tensorflow-text "
        "importlib_resources 'setuptools<82'. "
        f"Received: {error}"
    ) from error

from keras_clip.model_garden.activations import gelu
from keras_clip.model_garden.configs import OptimizationConfig
from keras_clip.model_garden.configs import OptimizerConfig
from keras_clip.model_garden.experiments import bert_pretraining
from keras_clip.model_garden.experiments import bert_sentence_prediction
from keras_clip.model_garden.experiments import bert_squad
from keras_clip.model_garden.question_answering import QuestionAnsweringConfig
from keras_clip.model_garden.question_answering import QuestionAnsweringTask
from keras_clip.model_garden.sentence_prediction import SentencePredictionConfig
from keras_clip.model_garden.sentence_prediction import SentencePredictionTask

__all__ = [
    "OptimizationConfig",
    "OptimizerConfig",
    "QuestionAnsweringConfig",
    "QuestionAnsweringTask",
    "SentencePredictionConfig",
    "SentencePredictionTask",
    "bert_pretraining",
    "bert_sentence_prediction",
    "bert_squad",
    "gelu",
]
