r"""Finetunes a pretrained BERT on sentences and reports the task's metric.

The metric of CoLA is Matthews' correlation, that of MRPC F1, that of STS-B the
mean of Pearson's and Spearman's correlation, and others' is accuracy. After an
interruption, the same command resumes training from the newest checkpoint.
Example:

    python scripts/finetune_glue.py --data_dir data/cola \
        --pretrained runs/bert --model_dir runs/cola \
        --config scripts/configs/cola_acclip.yaml

--pretrained may also be a Hugging Face BERT. Without --config, training takes
three epochs.
"""

import argparse
import os

import command_line
from bert import prepared
from bert import pretrained
from bert import recipes
from bert import runs
from bert import training_arguments

EXPERIMENT = "keras_clip/bert/sentence_prediction"
_SIZES = ["labels", "metric", "train_examples"]


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
    sizes = prepared.sizes(data_dir, "prepare_glue_data.py", _SIZES)
    labels, metric = sizes["labels"], sizes["metric"]
    task = {
        "model": {"num_classes": len(labels) or 1},
        "metric_type": metric,
        "train_data": {"input_path": os.path.join(data_dir, "train.tfrecord")},
        "validation_data": {
            "input_path": os.path.join(data_dir, "dev.tfrecord")
        },
    }
    if not labels:
        for name in ("train_data", "validation_data"):
            task[name]["label_type"] = "float"
    if arguments.pretrained and pretrained.has_pooler(arguments.pretrained):
        task["model"]["use_encoder_pooler"] = True
    best = "cls_accuracy" if metric == "accuracy" else metric
    recipe = recipes.finetuning(sizes, epochs=3, metric=best)
    return runs.run(EXPERIMENT, arguments, sizes, task, recipe)


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    runs.add_arguments(result, "prepare_glue_data.py")
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
