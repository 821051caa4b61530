r"""Pretrains BERT on prepared text, with optimizers of both packages.

Prints loss, speed and time left; `tensorboard --logdir MODEL_DIR` draws them.
The optimizer may be one of Model Garden or of keras_clip. After an
interruption, the same command resumes training from the newest checkpoint.
Example:

    python scripts/pretrain_bert.py --data_dir data --model_dir runs/bert \
        --config scripts/configs/bert_12.yaml scripts/configs/acclip.yaml
"""

import argparse
import os

import command_line
from bert import prepared
from bert import recipes
from bert import runs
from bert import training_arguments

EXPERIMENT = "keras_clip/bert/pretraining"


def run(arguments: argparse.Namespace) -> dict[str, float]:
    """Trains and returns the metrics on the validation data.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict from metric to value.

    Raises:
        InputError: If an argument or a file cannot be used.
    """
    training_arguments.check_training_arguments(arguments)
    data_dir = arguments.data_dir
    sizes = prepared.sizes(
        data_dir,
        "prepare_pretraining_data.py",
        ["max_predictions_per_seq", "train_examples"],
    )
    task = {
        "train_data": {
            "input_path": os.path.join(data_dir, "train-*.tfrecord")
        },
        "validation_data": {
            "input_path": os.path.join(data_dir, "heldout-*.tfrecord")
        },
    }
    recipe = recipes.pretraining(sizes)
    return runs.run(EXPERIMENT, arguments, sizes, task, recipe)


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    runs.add_arguments(result, "prepare_pretraining_data.py")
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
