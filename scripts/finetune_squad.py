"""Finetunes a pretrained BERT on SQuAD v1.1 and reports exact match and F1.

Example:

    python scripts/finetune_squad.py --config scripts/configs/squad_tiny.yaml \
        --pretrained runs/bert --vocab data/vocab.txt \
        --train data/squad_train.tfrecord --dev dev-v1.1.json \
        --model_dir runs/squad --optimizer acclip
"""

import argparse
import json
import os

import experiment

EXPERIMENT = "keras_clip/bert/squad"


def parameters(arguments: argparse.Namespace):
    """Returns the experiment's parameters for a command line."""
    task = {
        "train_data": {"input_path": arguments.train},
        "validation_data": {
            "input_path": arguments.dev,
            "vocab_file": arguments.vocab,
        },
    }
    overrides = [{"task": task}]
    if arguments.pretrained:
        pretraining = experiment.saved_params(
            "keras_clip/bert/pretraining", arguments.pretrained
        )
        task["init_checkpoint"] = os.path.abspath(arguments.pretrained)
        # The encoder has to be the one that was pretrained.
        task["model"] = {"encoder": pretraining.task.model.encoder.as_dict()}
    return experiment.build_params(
        EXPERIMENT,
        arguments.config,
        [*overrides, *experiment.training_overrides(arguments)],
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
    add = result.add_argument
    add("--train", required=True, help="TFRecords of prepare_squad_data.py")
    add("--dev", required=True, help="SQuAD v1.1 JSON file to evaluate on")
    add("--vocab", required=True, help="WordPiece vocabulary file")
    add("--pretrained", help="model_dir of a pretraining run")
    experiment.add_training_arguments(result)
    return result


if __name__ == "__main__":
    print(json.dumps(run(parser().parse_args())))
