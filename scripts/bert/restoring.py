"""Restores the model of a run."""

import os

import tensorflow as tf
import tf_keras
from official.core import base_task
from official.core import config_definitions
from official.core import task_factory

from bert import checkpoints
from command_line import InputError


def build_heads(model: tf_keras.Model) -> None:
    """Makes the weights that a pretraining model makes at its first call.

    Without them, the first step is traced twice, and heads cannot be given
    pretrained weights before it.

    Args:
        model: Model of a task.
    """
    if not model.built:
        model({tensor.name: tensor for tensor in model.inputs})


def restored_model(
    params: config_definitions.ExperimentConfig, model_dir: str, which: str
) -> tuple[base_task.Task, tf_keras.Model]:
    """Returns a task and its model with the weights of a checkpoint.

    Args:
        params: The run's parameters, which lose the paths of its data.
        model_dir: Directory of the run.
        which: `"best"`, the newest if none is kept, or `"newest"`.

    Returns:
        Tuple of the task and the model.

    Raises:
        InputError: If there is no checkpoint, or it cannot be read or belongs
            to another model.
    """
    # The data of the run may have been deleted.
    for data in (params.task.train_data, params.task.validation_data):
        data.input_path = ""
    directory = model_dir
    best = params.trainer.best_checkpoint_export_subdir
    if which == "best" and best:
        directory = os.path.join(model_dir, best)
    if directory != model_dir and not checkpoints.newest(
        "--model_dir", directory
    ):
        raise InputError(
            "`--model_dir` must hold a best checkpoint, which is kept after an "
            "evaluation; --checkpoint newest takes the newest. "
            f"Received: --model_dir={model_dir}"
        )
    checkpoint = checkpoints.required("--model_dir", directory)
    try:
        task = task_factory.get_task(params.task, logging_dir=model_dir)
        model = task.build_model()
        build_heads(model)
        status = tf.train.Checkpoint(model=model).read(checkpoint)
        status.expect_partial().assert_existing_objects_matched()
    # The libraries raise many classes of errors for damaged files.
    except Exception as error:
        checkpoints.check_whole("--model_dir", directory)
        reason = str(error).partition("\n")[0]
        raise InputError(
            f"`--model_dir` must hold a checkpoint of the model that its "
            f"params.yaml describes; {type(error).__name__}: {reason}. "
            f"Received: --model_dir={model_dir}"
        ) from error
    return task, model
