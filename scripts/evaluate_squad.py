r"""Scores SQuAD predictions: exact match and F1, in percent.

A file with unanswerable questions is scored as by SQuAD v2.0's official
evaluation, any other as by that of v1.1.

Example:

    python scripts/evaluate_squad.py \
        --dataset dev-v1.1.json.zip --predictions predictions.json
"""

import argparse

from official.nlp.tools import squad_evaluate_v1_1
from official.nlp.tools import squad_evaluate_v2_0

import command_line
from bert import squad
from command_line import files

# Names in the official evaluation of SQuAD v2.0.
_VERSION_2 = {
    "exact_match": "exact",
    "f1": "f1",
    "has_answer_exact_match": "HasAns_exact",
    "has_answer_f1": "HasAns_f1",
    "no_answer_exact_match": "NoAns_exact",
    "no_answer_f1": "NoAns_f1",
}


def run(arguments: argparse.Namespace) -> dict[str, float]:
    """Returns the scores of the official evaluation.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict with `exact_match` and `f1`, in percent. If there are unanswerable
        questions, they are there once more of these alone, `no_answer_...`, and
        of the others, `has_answer_...`.

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
    if squad.has_unanswerable(dataset):
        return _version_2(dataset, predictions, arguments.predictions)
    scores = squad_evaluate_v1_1.evaluate(dataset["data"], predictions)
    return {
        "exact_match": 100 * scores["exact_match"],
        "f1": 100 * scores["final_f1"],
    }


def _version_2(dataset, predictions, path):
    """Returns the scores of SQuAD v2.0's evaluation."""
    ids = [question["id"] for _, question in squad.questions(dataset)]
    missing = [name for name in ids if name not in predictions]
    # Model Garden leaves out questions without a prediction, and fails on
    # predictions without a question (official/nlp/tools/squad_evaluate_v2_0.py,
    # 2.20.0).
    if missing:
        raise command_line.InputError(
            "`--predictions` must hold an answer to each question of "
            "--dataset, empty where there is none; "
            f"{len(missing):,} of {len(ids):,} are missing, such as "
            f"{missing[0]!r}. Received: --predictions={path}"
        )
    given = {name: predictions[name] for name in ids}
    scores = squad_evaluate_v2_0.evaluate(dataset["data"], given)
    return {
        name: scores[official]
        for name, official in _VERSION_2.items()
        if official in scores
    }


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    add = result.add_argument
    add("--dataset", required=True, metavar="FILE", help="SQuAD JSON")
    add(
        "--predictions",
        required=True,
        metavar="FILE",
        help="JSON from id to answer",
    )
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
