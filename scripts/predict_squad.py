"""Answers every question of a SQuAD v1.1 file with a finetuned model.

Writes a JSON object from question id to answer, which evaluate_squad.py and
the official evaluation read. Example:

    python scripts/predict_squad.py --model_dir runs/squad \
        --input dev-v1.1.json --output predictions.json
"""

import argparse
import json
import tempfile

import experiment
from official.nlp.tasks import question_answering

EXPERIMENT = "keras_clip/bert/squad"


def load(model_dir: str):
    """Returns the task and the model of a finetuning run.

    Args:
        model_dir: Directory of the run.

    Returns:
        Tuple of the task and the model with the newest weights.
    """
    params = experiment.saved_params(EXPERIMENT, model_dir)
    # The validation data of the run need not exist any more.
    params.task.validation_data.input_path = ""
    return experiment.restored_model(params, model_dir)


def predict(task, model, path: str) -> dict[str, str]:
    """Returns the answers to a file's questions.

    Args:
        task: Question answering task.
        model: Its model.
        path: SQuAD v1.1 JSON file; answers in it are not looked at.

    Returns:
        Dict from question id to answer.
    """
    with tempfile.TemporaryDirectory() as directory:
        data = task.task_config.validation_data.replace(
            input_path=path,
            input_preprocessed_data_path=directory,
            drop_remainder=False,
        )
        answers, _, _ = question_answering.predict(task, data, model)
    return dict(answers)


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """Writes the answers.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict with the number of `answers` and the `output` file.
    """
    answers = predict(*load(arguments.model_dir), arguments.input)
    with open(arguments.output, "w", encoding="utf-8") as file:
        json.dump(answers, file, indent=2)
    return {"answers": len(answers), "output": arguments.output}


def parser() -> argparse.ArgumentParser:
    """Returns the parser of this script's command line."""
    result = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("--model_dir", required=True, help="directory of a finetuning run")
    add("--input", required=True, help="SQuAD v1.1 JSON file")
    add("--output", required=True, help="JSON file of answers to write")
    return result


if __name__ == "__main__":
    print(json.dumps(run(parser().parse_args())))
