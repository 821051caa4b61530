r"""Answers every question of a SQuAD v1.1 file with a finetuned model.

Writes a JSON object from question id to answer, which evaluate_squad.py and
the official evaluation read. Example:

    python scripts/predict_squad.py --model_dir runs/squad \
        --input dev-v1.1.json.zip --output predictions.json
"""

import argparse
import os
import tempfile

import command_line
import files
import squad

EXPERIMENT = "keras_clip/bert/squad"


def load(model_dir: str, which: str):
    """Returns the task and the model of a finetuning run.

    Args:
        model_dir: Directory of the run.
        which: Checkpoint, `"best"` or `"newest"`.

    Returns:
        Tuple of the task and the model.

    Raises:
        InputError: If there is no such run or no checkpoint.
    """
    # These take ten seconds to import, hence not before the command line has
    # been looked at.
    import parameters
    import restoring

    params = parameters.saved(EXPERIMENT, "--model_dir", model_dir)
    # The data of the run need not exist any more.
    data = params.task.validation_data
    data.input_path = ""
    data.vocab_file = os.path.join(model_dir, "vocab.txt")
    return restoring.restored_model(params, model_dir, which)


def predict(task, model, dataset: dict) -> dict[str, str]:
    """Returns the answers to the questions of a dataset.

    Args:
        task: Question answering task.
        model: Its model.
        dataset: Parsed SQuAD v1.1 JSON; answers in it are not looked at.

    Returns:
        Dict from question id to answer.
    """
    from official.nlp.tasks import question_answering

    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "questions.json")
        files.write_json(path, dataset)
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

    Raises:
        InputError: If something that was given cannot be used.
    """
    dataset = squad.read_questions("--input", arguments.input)
    model = load(arguments.model_dir, arguments.checkpoint)
    answers = predict(*model, dataset)
    files.write_json(arguments.output, answers)
    return {"answers": len(answers), "output": arguments.output}


def add_model_arguments(parser: command_line.Parser) -> None:
    """Adds the options that choose a model.

    Args:
        parser: The script's parser.
    """
    parser.add_argument(
        "--model_dir",
        required=True,
        metavar="DIR",
        help="directory of a run of finetune_squad.py",
    )
    parser.add_argument(
        "--checkpoint",
        choices=("best", "newest"),
        default="best",
        help="the one with the best F1, or the newest",
    )


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    add_model_arguments(result)
    add = result.add_argument
    add("--input", required=True, metavar="FILE", help="SQuAD v1.1 JSON")
    add("--output", required=True, metavar="FILE", help="JSON to write")
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
