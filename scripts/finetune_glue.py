r"""Finetunes a pretrained BERT on CoLA or RTE and reports the task's metric.

The metric of CoLA is Matthews' correlation, that of RTE accuracy. After an
interruption, the same command resumes training from the newest checkpoint.
Example:

    python scripts/finetune_glue.py --data_dir data/cola \
        --pretrained runs/bert --model_dir runs/cola \
        --config scripts/configs/cola_acclip.yaml
"""

import argparse
import os

import command_line
from bert import finetuning
from bert import glue
from bert import prepared
from bert import training_arguments

EXPERIMENT = "keras_clip/bert/sentence_prediction"


def run(arguments: argparse.Namespace) -> dict[str, float]:
    """Finetunes and returns the metrics on the development set.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict from metric to value.

    Raises:
        InputError: If an argument or a file cannot be used.
    """
    training_arguments.check_training_arguments(arguments)
    data_dir = arguments.data_dir
    sizes = prepared.sizes(data_dir, "prepare_glue_data.py", ["task"])
    if sizes["task"] not in glue.TASKS:
        raise command_line.InputError(
            f"`--data_dir` must be of {' or '.join(glue.TASKS)}, not "
            f"{sizes['task']!r}. Received: --data_dir={data_dir}"
        )
    labels = glue.TASKS[sizes["task"]].labels
    task = {
        "model": {"num_classes": len(labels)},
        "train_data": {"input_path": os.path.join(data_dir, "train.tfrecord")},
        "validation_data": {
            "input_path": os.path.join(data_dir, "dev.tfrecord")
        },
    }
    return finetuning.run(EXPERIMENT, arguments, sizes, task)


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    finetuning.add_arguments(result, "prepare_glue_data.py")
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
