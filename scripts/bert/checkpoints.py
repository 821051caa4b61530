"""Finds checkpoints, and checks that they can be read."""

import os

import tensorflow as tf

from command_line import InputError


def newest(argument: str, directory: str) -> str | None:
    """Returns the newest checkpoint of a directory, if there is one.

    Args:
        argument: Name of the command line's argument, for the error.
        directory: Where the checkpoints are.

    Returns:
        Path of the checkpoint, or `None`.

    Raises:
        InputError: If the file that names the checkpoints cannot be read.
    """
    try:
        return tf.train.latest_checkpoint(directory)
    except (tf.errors.OpError, ValueError) as error:
        raise InputError(
            f"`{argument}` must be a directory whose file `checkpoint` names "
            f"the checkpoints; it cannot be read: {error}. "
            f"Received: {argument}={directory}"
        ) from error


def required(argument: str, directory: str) -> str:
    """Returns the newest checkpoint of a directory.

    Args:
        argument: Name of the command line's argument, for the error.
        directory: Where the checkpoints are.

    Returns:
        Path of the checkpoint.

    Raises:
        InputError: If there is none.
    """
    checkpoint = newest(argument, directory)
    if checkpoint is None:
        raise InputError(
            f"`{argument}` must hold a checkpoint of a training run. "
            f"Received: {argument}={directory}"
        )
    return checkpoint


def check_whole(argument: str, directory: str) -> None:
    """Checks that a directory's newest checkpoint can be read completely.

    That takes time, and is meant for finding the cause of an error.

    Args:
        argument: Name of the command line's argument, for the error.
        directory: Where the checkpoint is, if there is one.

    Raises:
        InputError: If it cannot be read.
    """
    state = tf.train.get_checkpoint_state(directory)
    if state is None:
        return
    path = state.model_checkpoint_path
    try:
        reader = tf.train.load_checkpoint(path)
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    # The reader raises errors of many classes
    # (tensorflow/python/training/py_checkpoint_reader.py, 2.20.0).
    except Exception as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"`{argument}` must hold a whole checkpoint; {path} cannot be "
            f"read: {reason}. Name an earlier one in "
            f"{os.path.join(directory, 'checkpoint')} or take another "
            f"directory. Received: {argument}={directory}"
        ) from error
