r"""Answers one question about one paragraph with a finetuned model.

Example:

    python scripts/answer.py --model_dir runs/squad \
        --paragraph "The break statement ends the nearest enclosing loop." \
        --question "What does the break statement end?"
"""

import argparse

import command_line
import predict_squad
from bert import texts
from command_line import progress


def run(arguments: argparse.Namespace) -> str:
    """Returns the answer, a part of the paragraph.

    It is empty if the model finds none, or none whose score is high enough, or
    if it was trained on unanswerable questions and takes this one for such.

    Args:
        arguments: The parsed command line.

    Returns:
        The answer.

    Raises:
        InputError: If an argument cannot be used.
    """
    for name in ("paragraph", "question"):
        value = getattr(arguments, name)
        if texts.is_blank(value):
            raise command_line.InputError(
                f"`--{name}` must hold text. Received: --{name}={value}"
            )
    question = {
        "id": "question",
        "question": arguments.question,
        "answers": [],
    }
    paragraph = {"context": arguments.paragraph, "qas": [question]}
    dataset = {"data": [{"paragraphs": [paragraph]}]}
    model = predict_squad.load(arguments.model_dir, arguments.checkpoint)
    found = predict_squad.candidates(*model, dataset)["question"]
    if found:
        best = found[0]
        what = repr(best["text"]) if best["text"] else "no answer"
        progress.say(f"{what} has the score {best['score']:.2f}")
    return predict_squad.chosen(found, arguments.min_score)


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    predict_squad.add_model_arguments(result)
    add = result.add_argument
    add("--paragraph", required=True, help="text that holds the answer")
    add("--question", required=True, help="the question")
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
