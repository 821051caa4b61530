"""Runs Model Garden experiments from YAML: what the scripts share.

No training loop here: Model Garden's controller trains, evaluates, saves,
restores and writes TensorBoard summaries.
"""

import argparse
import os
from collections.abc import Mapping
from collections.abc import Sequence

import tensorflow as tf
import tf_keras
import yaml
from official.common import distribute_utils
from official.core import base_task
from official.core import config_definitions
from official.core import task_factory
from official.core import train_lib
from official.core import train_utils
from official.modeling import performance

import keras_clip.model_garden  # noqa: F401 registers the experiments


def build_params(
    experiment: str,
    config_files: Sequence[str] = (),
    overrides: Sequence[str | Mapping] = (),
) -> config_definitions.ExperimentConfig:
    """Returns the parameters of an experiment, later sources over earlier.

    Args:
        experiment: Name of a registered experiment.
        config_files: YAML files.
        overrides: Nested dicts or YAML strings.

    Returns:
        The parameters, checked by Model Garden, strict about unknown keys.
    """
    params = train_utils.parse_configuration(
        train_utils.ParseConfigOptions(
            experiment=experiment, config_file=list(config_files)
        ),
        lock_return=False,
        print_return=False,
    )
    for override in overrides:
        if isinstance(override, str):
            override = yaml.safe_load(override)
        params.override(override, is_strict=True)
    params.validate()
    return params


def saved_params(
    experiment: str, model_dir: str
) -> config_definitions.ExperimentConfig:
    """Returns the parameters that a run has left in its directory."""
    return build_params(experiment, [os.path.join(model_dir, "params.yaml")])


def train(
    params: config_definitions.ExperimentConfig, model_dir: str, seed: int
) -> dict[str, float]:
    """Trains, or goes on from the directory's newest checkpoint.

    The very first step is a block of its own, so that its loss, before any
    update, stands in the summaries.

    Args:
        params: The experiment's parameters.
        model_dir: Directory of checkpoints, summaries and `params.yaml`.
        seed: Seed of the initial weights, of dropout and of shuffling.

    Returns:
        Metrics on the validation data after the last step.
    """
    train_utils.serialize_config(params, model_dir)
    runner = _runner(params, model_dir, "train_and_eval", seed)
    controller, trainer = runner.controller, params.trainer
    with runner.strategy.scope():
        if trainer.train_steps and not runner.trainer.global_step.numpy():
            controller.train(steps=1, checkpoint_at_completion=False)
        metrics = controller.train_and_evaluate(
            train_steps=trainer.train_steps,
            eval_steps=trainer.validation_steps,
            eval_interval=trainer.validation_interval,
        )
        if metrics is None:
            metrics = controller.evaluate(steps=trainer.validation_steps)
    return {name: float(value) for name, value in metrics.items()}


def restored_model(
    params: config_definitions.ExperimentConfig, model_dir: str
) -> tuple[base_task.Task, tf_keras.Model]:
    """Returns a task and its model with the newest checkpoint's weights.

    Args:
        params: The experiment's parameters.
        model_dir: Directory of checkpoints.

    Returns:
        Tuple of the task and the model.

    Raises:
        FileNotFoundError: If there is no checkpoint.
    """
    checkpoint = tf.train.latest_checkpoint(model_dir)
    if checkpoint is None:
        raise FileNotFoundError(
            "`model_dir` must hold a checkpoint of a training run. "
            f"Received: model_dir={model_dir}"
        )
    task = task_factory.get_task(params.task, logging_dir=model_dir)
    model = task.build_model()
    status = tf.train.Checkpoint(model=model).read(checkpoint)
    status.expect_partial().assert_existing_objects_matched()
    return task, model


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the options that all training scripts have."""
    add = parser.add_argument
    add("--model_dir", required=True, help="checkpoints and summaries")
    add(
        "--config",
        nargs="*",
        default=[],
        help="YAML files, later ones over earlier ones",
    )
    add(
        "--optimizer",
        help="type of the optimizer, such as acclip or adamw",
    )
    add("--learning_rate", type=float, help="initial learning rate")
    add("--train_steps", type=int, help="number of steps")
    add("--seed", type=int, default=0, help="weights, dropout, shuffling")
    add(
        "--params_override",
        action="append",
        default=[],
        help="YAML over everything else, may be given more than once",
    )


def training_overrides(arguments: argparse.Namespace) -> list[str | Mapping]:
    """Returns what `add_training_arguments` was given as overrides."""
    overrides = []
    if arguments.optimizer:
        overrides.append(
            {
                "trainer": {
                    "optimizer_config": {
                        "optimizer": {"type": arguments.optimizer}
                    }
                }
            }
        )
    if arguments.learning_rate is not None:
        overrides.append(
            {
                "trainer": {
                    "optimizer_config": {
                        "learning_rate": {
                            "polynomial": {
                                "initial_learning_rate": arguments.learning_rate
                            }
                        }
                    }
                }
            }
        )
    if arguments.train_steps is not None:
        overrides.append(
            {
                "trainer": {
                    "train_steps": arguments.train_steps,
                    "optimizer_config": {
                        "learning_rate": {
                            "polynomial": {
                                "decay_steps": max(arguments.train_steps, 1)
                            }
                        }
                    },
                }
            }
        )
    return [*overrides, *arguments.params_override]


def _runner(params, model_dir, mode, seed):
    tf_keras.utils.set_random_seed(seed)
    if params.runtime.mixed_precision_dtype:
        performance.set_mixed_precision_policy(
            params.runtime.mixed_precision_dtype
        )
    strategy = distribute_utils.get_distribution_strategy(
        distribution_strategy=params.runtime.distribution_strategy,
        all_reduce_alg=params.runtime.all_reduce_alg,
        num_gpus=params.runtime.num_gpus,
        tpu_address=params.runtime.tpu,
        **params.runtime.model_parallelism(),
    )
    with strategy.scope():
        task = task_factory.get_task(params.task, logging_dir=model_dir)
    return train_lib.OrbitExperimentRunner(
        distribution_strategy=strategy,
        task=task,
        mode=mode,
        params=params,
        model_dir=model_dir,
    )
