"""Answers one question about one paragraph with a finetuned model.

Example:

    python scripts/answer.py --model_dir runs/squad \
        --paragraph "The break statement ends the nearest enclosing loop." \
        --question "What does the break statement end?"
"""

import argparse
import json
import os
import tempfile

import predict_squad


def run(arguments: argparse.Namespace) -> str:
    """Returns the answer, a part of the paragraph.

    Args:
        arguments: The parsed command line.

    Returns:
        The answer.
    """
    task, model = predict_squad.load(arguments.model_dir)
    question = {
        "id": "question",
        "question": arguments.question,
        "answers": [],
    }
    paragraph = {"context": arguments.paragraph, "qas": [question]}
    dataset = {"data": [{"paragraphs": [paragraph]}]}
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "question.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(dataset, file)
        return predict_squad.predict(task, model, path)["question"]


def parser() -> argparse.ArgumentParser:
    """Returns the parser of this script's command line."""
    result = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("--model_dir", required=True, help="directory of a finetuning run")
    add("--paragraph", required=True, help="text that holds the answer")
    add("--question", required=True, help="the question")
    return result


if __name__ == "__main__":
    print(run(parser().parse_args()))
