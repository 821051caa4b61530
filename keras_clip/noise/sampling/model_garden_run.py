"""Samples the gradient noise of a Model Garden run."""

import os

import tensorflow as tf
import tf_keras
import yaml
from official.core import config_definitions
from official.core import exp_factory
from official.core import task_factory
from official.modeling import hyperparams

import keras_clip.model_garden  # noqa: F401 registers the experiments
from keras_clip.noise.sampling.batches import IteratorBatches
from keras_clip.noise.sampling.noise_samples import NoiseSamples
from keras_clip.noise.sampling.passes import sample_gradients
from keras_clip.noise.sampling.sampling_options import SamplingOptions
from keras_clip.noise.sampling.task_gradients import TaskGradients
from keras_clip.validation import check_integer


def sample_run(
    model_dir: str,
    data: str | None = None,
    *,
    experiment: str = "keras_clip/bert/pretraining",
    batch_size: int | None = None,
    num_samples: int = 1000,
    full_gradient_batches: int | None = None,
    per_layer: bool = False,
    num_projections: int = 4,
    seed: int = 0,
    verbose: int | str = "auto",
) -> NoiseSamples:
    """Samples the noise at the newest checkpoint of a training run.

    The gradients are those that the training step of the task passes to its
    optimizer, on training data that are shuffled without end. The full gradient
    is therefore an estimate.

    Args:
        model_dir: Directory of the run, with `params.yaml` and a checkpoint.
        data: Paths of records, which may contain `*`. Defaults to `None`: the
            records of the run.
        experiment: Name of the registered experiment. Defaults to
            `"keras_clip/bert/pretraining"`.
        batch_size: Int. Defaults to `None`: that of the run.
        num_samples: As for `keras_clip.noise.sample`, like all that follow.
        full_gradient_batches: Int or `None`.
        per_layer: Bool.
        num_projections: Int.
        seed: Int, the seed of mini-batches and directions.
        verbose: `0`, `1` or `"auto"`.

    Returns:
        Samples.

    Raises:
        ValueError: If the directory does not belong to such a run, or its
            checkpoint or the records cannot be read.
    """
    options = SamplingOptions(
        num_samples=num_samples,
        full_gradient_batches=full_gradient_batches,
        per_layer=per_layer,
        num_projections=num_projections,
        seed=seed,
        verbose=verbose,
    )
    if batch_size is not None:
        check_integer("batch_size", batch_size, 1)
    params = _parameters(model_dir, experiment)
    train_data = params.task.train_data
    train_data.seed = seed
    if data is not None:
        train_data.input_path = data
    if batch_size is not None:
        train_data.global_batch_size = batch_size
    tf_keras.utils.set_random_seed(seed)
    checkpoint = tf.train.latest_checkpoint(model_dir)
    if checkpoint is None:
        raise ValueError(
            "`model_dir` must hold a checkpoint. "
            f"Received: model_dir={model_dir!r}"
        )
    task = task_factory.get_task(params.task, logging_dir=model_dir)
    model = task.build_model()
    try:
        status = tf.train.Checkpoint(model=model).read(checkpoint)
        status.expect_partial().assert_existing_objects_matched()
    except (AssertionError, IndexError, ValueError, tf.errors.OpError) as error:
        raise ValueError(
            "`model_dir` must hold a whole checkpoint of the model that its "
            f"params.yaml describes: {_one_line(error)}. "
            f"Received: model_dir={model_dir!r}"
        ) from error
    try:
        return sample_gradients(
            TaskGradients(task, model),
            IteratorBatches(iter(task.build_inputs(train_data))),
            options,
        )
    except tf.errors.OpError as error:
        raise ValueError(
            "`data` must name whole records of the run's task: "
            f"{_one_line(error)}. Received: data={train_data.input_path!r}"
        ) from error


def _parameters(
    model_dir: str, experiment: str
) -> config_definitions.ExperimentConfig:
    path = os.path.join(model_dir, "params.yaml")
    if not os.path.exists(path):
        raise ValueError(
            "`model_dir` must be the directory of a training run, with a "
            f"params.yaml. Received: model_dir={model_dir!r}"
        )
    params = exp_factory.get_exp_config(experiment)
    try:
        return hyperparams.override_params_dict(params, path, is_strict=True)
    except (
        *(AttributeError, KeyError, TypeError, ValueError),
        yaml.YAMLError,
    ) as error:
        raise ValueError(
            f"`experiment` must be that of the run: {_one_line(error)}. "
            f"Received: experiment={experiment!r}"
        ) from error


def _one_line(error):
    return " ".join(str(error).split())
