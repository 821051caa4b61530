r"""Scores SQuAD v1.1 predictions: exact match and F1, in percent.

Example:

    python scripts/evaluate_squad.py \
        --dataset dev-v1.1.json.zip --predictions predictions.json
"""

import argparse

from official.nlp.tools import squad_evaluate_v1_1

import command_line
from bert import squad
from command_line import files


def run(arguments: argparse.Namespace) -> dict[str, float]:
    """Returns the scores of the official evaluation.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict with `exact_match` and `f1`, in percent.

    Raises:
        InputError: If a file cannot be used.
    """
    dataset = squad.read_references("--dataset", arguments.dataset)
    predictions = files.read_json("--predictions", arguments.predictions)
    if not isinstance(predictions, dict):
        raise command_line.InputError(
            "`--predictions` must hold an object from question id to answer. "
            f"Received: --predictions={arguments.predictions}"
        )
    for name, text in predictions.items():
        if not isinstance(text, str):
            raise command_line.InputError(
                "`--predictions` must hold text as the answer to each "
                f"question; that to {name!r} is {text!r:.60}. "
                f"Received: --predictions={arguments.predictions}"
            )
    scores = squad_evaluate_v1_1.evaluate(dataset["data"], predictions)
    return {
        "exact_match": 100 * scores["exact_match"],
        "f1": 100 * scores["final_f1"],
    }


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    add = result.add_argument
    add("--dataset", required=True, metavar="FILE", help="SQuAD v1.1 JSON")
    add(
        "--predictions",
        required=True,
        metavar="FILE",
        help="JSON from id to answer",
    )
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
