"""Explains errors of Model Garden and TensorFlow, and what to do."""

import os
import re

import tensorflow as tf
from official.core import config_definitions

from bert import checkpoints
from bert import records
from command_line import Divergence
from command_line import InputError


def explained(
    error: Exception,
    params: config_definitions.ExperimentConfig,
    model_dir: str,
) -> Exception:
    """Returns an error that explains one of the libraries' errors.

    Args:
        error: The error that has ended a run.
        params: Parameters of the run.
        model_dir: Directory of the run.

    Returns:
        A `Divergence`, or an `InputError` of the parameters.

    Raises:
        InputError: If a file of the run is damaged.
    """
    if isinstance(error, RuntimeError) and "The loss value is" in str(error):
        return divergence(str(error))
    reason = f"{type(error).__name__}: {_reason(error)}"
    if isinstance(error, tf.errors.ResourceExhaustedError):
        return InputError(
            "`task.train_data.global_batch_size` and that of validation_data "
            f"must be such that batches fit into memory; {reason}. Received: "
            f"global_batch_size={params.task.train_data.global_batch_size}"
        )
    _check_files(error, params, model_dir)
    shapes = ("incompatible tensor", "Shape mismatch")
    if any(words in str(error) for words in shapes):
        return InputError(
            "a checkpoint must have the shapes of the model that is "
            f"configured: {error}. Received: --model_dir={model_dir}, "
            f"task.init_checkpoint={params.task.init_checkpoint}"
        )
    return InputError(
        "`task`, `trainer` and `runtime` must be settings that work together; "
        f"{reason}. The end of {os.path.join(model_dir, 'log.txt')} says "
        "where it happened"
    )


def divergence(what: str) -> Divergence:
    """Returns the error of a run that has diverged.

    Args:
        what: The symptom.

    Returns:
        The error.
    """
    return Divergence(
        f"the run has diverged: {what.rstrip('.')}. Take a lower learning rate "
        "or a longer warm-up, and another directory"
    )


def _check_files(error, params, model_dir):
    checkpoints.check_whole("--model_dir", model_dir)
    start = params.task.init_checkpoint
    if start and tf.io.gfile.isdir(start):
        checkpoints.check_whole("task.init_checkpoint", start)
    if isinstance(error, tf.errors.OpError):
        for name in ("train_data", "validation_data"):
            records.check_whole(
                f"task.{name}.input_path", getattr(params.task, name)
            )


def _reason(error):
    """Returns the most informative line of a message.

    The other lines are about the place in a graph or, from gin, in Model
    Garden.
    """
    around = ("Graph execution error", "Detected at node", "<stack", "in user")
    lines = [line for line in str(error).splitlines() if line.strip()]
    telling = [
        line for line in lines if not line.startswith((" ", "\t", *around))
    ]
    line = (telling or lines or [""])[0]
    return re.sub(r"\{\{.*?\}\} | \[Op:.*", "", line).rstrip(". ")
