"""Scores SQuAD v1.1 predictions: exact match and F1, in percent.

Example:

    python scripts/evaluate_squad.py \
        --dataset dev-v1.1.json --predictions predictions.json
"""

import argparse
import json

from official.nlp.tools import squad_evaluate_v1_1


def run(arguments: argparse.Namespace) -> dict[str, float]:
    """Returns the scores of the official evaluation.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict with `exact_match` and `f1`, in percent.
    """
    with open(arguments.dataset, encoding="utf-8") as file:
        articles = json.load(file)["data"]
    with open(arguments.predictions, encoding="utf-8") as file:
        predictions = json.load(file)
    scores = squad_evaluate_v1_1.evaluate(articles, predictions)
    return {
        "exact_match": 100 * scores["exact_match"],
        "f1": 100 * scores["final_f1"],
    }


def parser() -> argparse.ArgumentParser:
    """Returns the parser of this script's command line."""
    result = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("--dataset", required=True, help="SQuAD v1.1 JSON file")
    add("--predictions", required=True, help="JSON from id to answer")
    return result


if __name__ == "__main__":
    print(json.dumps(run(parser().parse_args())))
