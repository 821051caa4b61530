"""Checks files of records, and finds those that cannot be read."""

import re

import tensorflow as tf
from official.core import config_definitions
from official.core import input_reader
from official.nlp.data import data_loader_factory
from official.nlp.data import question_answering_dataloader

from command_line import InputError

# Errors of TensorFlow for a record that cannot be read or lacks a feature
# (tensorflow/core/lib/io/record_reader.cc, core/util/example_proto_helper.cc,
# 2.20.0).
_BROKEN = re.compile(r"(truncated|corrupted) record at \d+")
_LACKING = re.compile(r"Feature: \w+|Key: \w+")


def count(argument: str, path: str) -> int:
    """Returns the number of records of a file after reading all of them.

    Args:
        argument: Name of the argument that names the file, for the error.
        path: The file.

    Returns:
        The number of records.

    Raises:
        InputError: If a record cannot be read, or the file has none.
    """
    return _count(argument, path, -1)


def check(argument: str, data: config_definitions.DataConfig) -> None:
    """Checks that the files of a data set exist and start with a record.

    Args:
        argument: Name of the argument that names the files, for the error.
        data: Parameters of the data set.

    Raises:
        InputError: If a file is missing, a directory or empty, or its first
            record cannot be read.
    """
    for path in _files(argument, data):
        if not tf.io.gfile.exists(path):
            raise _unusable(argument, path, "it does not exist")
        if tf.io.gfile.isdir(path):
            raise _unusable(argument, path, "it is a directory")
        if not tf.io.gfile.stat(path).length:
            raise _unusable(argument, path, "it is empty")
        if not hold_questions(data):
            _count(argument, path, 1)


def check_whole(argument: str, data: config_definitions.DataConfig) -> None:
    """Checks that all records can be read, and have the task's features.

    That takes time, and is meant for finding the cause of an error.

    Args:
        argument: Name of the argument that names the files, for the error.
        data: Parameters of the data set.

    Raises:
        InputError: If a record cannot be read, or the first one of a file lacks
            a feature.
    """
    if hold_questions(data):
        return
    for path in _files(argument, data):
        count(argument, path)
        one = data.replace(input_path=path, global_batch_size=1)
        try:
            loader = data_loader_factory.get_data_loader(one)
            next(iter(loader.load()))
        except tf.errors.InvalidArgumentError as error:
            # Other errors are due to the parameters, not to the records.
            if _LACKING.search(error.message):
                reason = f"its records are of another kind, {_reason(error)}"
                raise _unusable(argument, path, reason) from error


def hold_questions(data: config_definitions.DataConfig) -> bool:
    """Returns whether the files are JSON, as for the evaluation on SQuAD.

    Args:
        data: Parameters of the data set.

    Returns:
        Whether they are JSON.
    """
    kind = question_answering_dataloader.QADataConfig
    return isinstance(data, kind) and not data.is_training


def _count(argument, path, most):
    """Returns the number of records, after reading at most `most`; -1: all."""
    try:
        records = tf.data.TFRecordDataset(path).take(most)
        number = int(records.reduce(0, lambda number, _: number + 1))
    except tf.errors.OpError as error:
        raise _unusable(argument, path, _reason(error)) from error
    if not number:
        raise _unusable(argument, path, "it holds no record")
    return number


def _files(argument, data):
    """Returns the paths of a data set, none if it does not consist of files."""
    path = data.input_path
    if not path or path == "dummy" or not isinstance(path, str | list):
        return []
    try:
        return input_reader.match_files(path)
    except ValueError as error:
        raise _unusable(argument, path, "there is no such file") from error


def _unusable(argument, path, reason):
    return InputError(
        f"`{argument}` must name files of whole records; {path} cannot be "
        f"used: {reason}. Prepare the data anew. Received: {argument}={path}"
    )


def _reason(error):
    """Returns the part of a message that is about the data."""
    message = error.message
    found = _BROKEN.search(message) or _LACKING.search(message)
    return found[0] if found else " ".join(message.split())
