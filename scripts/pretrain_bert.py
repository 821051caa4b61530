"""Pretrains BERT on prepared text with any optimizer of Model Garden or ours.

Example:

    python scripts/pretrain_bert.py --data_dir data --model_dir runs/bert \
        --config scripts/configs/bert_tiny.yaml --optimizer acclip
"""

import argparse
import json
import os

import experiment

EXPERIMENT = "keras_clip/bert/pretraining"


def parameters(arguments: argparse.Namespace):
    """Returns the experiment's parameters for a command line."""
    data_dir = arguments.data_dir
    with open(os.path.join(data_dir, "sizes.json"), encoding="utf-8") as file:
        vocab_size = json.load(file)["vocab_size"]
    data = {
        "task": {
            "model": {"encoder": {"bert": {"vocab_size": vocab_size}}},
            "train_data": {
                "input_path": os.path.join(data_dir, "train.tfrecord")
            },
            "validation_data": {
                "input_path": os.path.join(data_dir, "heldout.tfrecord")
            },
        }
    }
    return experiment.build_params(
        EXPERIMENT,
        arguments.config,
        [data, *experiment.training_overrides(arguments)],
    )


def run(arguments: argparse.Namespace) -> dict[str, float]:
    """Trains and returns the metrics on the validation data.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict from metric to value.
    """
    return experiment.train(
        parameters(arguments), arguments.model_dir, arguments.seed
    )


def parser() -> argparse.ArgumentParser:
    """Returns the parser of this script's command line."""
    result = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    result.add_argument(
        "--data_dir",
        required=True,
        help="what prepare_pretraining_data.py has written",
    )
    experiment.add_training_arguments(result)
    return result


if __name__ == "__main__":
    print(json.dumps(run(parser().parse_args())))
