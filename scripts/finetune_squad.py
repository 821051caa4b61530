r"""Finetunes a pretrained BERT on SQuAD and reports exact match and F1.

Keeps the checkpoint with the best F1 and the newest one. After an interruption,
the same command resumes training from the newest. Example:

    python scripts/finetune_squad.py --data_dir data/squad \
        --pretrained runs/bert --model_dir runs/squad \
        --config scripts/configs/squad_12.yaml scripts/configs/acclip.yaml

--pretrained may also be a Hugging Face BERT. Without --config, training takes
two epochs. Of data with unanswerable questions, as SQuAD v2.0 has them, the
metrics are those of its official evaluation.
"""

import argparse
import os

import command_line
from bert import prepared
from bert import recipes
from bert import runs
from bert import squad
from bert import training_arguments

EXPERIMENT = "keras_clip/bert/squad"
_SIZES = ["max_query_length", "doc_stride", "train_examples", "unanswerable"]


def run(arguments: argparse.Namespace) -> dict[str, float]:
    """Finetunes and returns the metrics on the questions to evaluate on.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict from metric to value, in shares of 1.

    Raises:
        InputError: If an argument or a file cannot be used.
    """
    training_arguments.check_training_arguments(arguments)
    data_dir = arguments.data_dir
    sizes = prepared.sizes(data_dir, "prepare_squad_data.py", _SIZES)
    squad.read_references("--data_dir", os.path.join(data_dir, "dev.json"))
    version = {"version_2_with_negative": sizes["unanswerable"]}
    task = {
        "train_data": {
            "input_path": os.path.join(data_dir, "train.tfrecord"),
            **version,
        },
        "validation_data": {
            "input_path": os.path.join(data_dir, "dev.json"),
            "vocab_file": os.path.join(data_dir, "vocab.txt"),
            "do_lower_case": sizes["do_lower_case"],
            **version,
        },
    }
    recipe = recipes.finetuning(sizes, epochs=2, metric="final_f1")
    return runs.run(EXPERIMENT, arguments, sizes, task, recipe)


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    runs.add_arguments(result, "prepare_squad_data.py")
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
