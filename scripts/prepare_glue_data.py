r"""Converts sentences with labels for finetune_glue.py.

The files are GLUE's of a task, or any TSV or CSV whose first line names its
columns. Writes TFRecords and the vocabulary. Examples:

    python scripts/prepare_glue_data.py --task cola \
        --train CoLA/train.tsv --dev CoLA/dev.tsv \
        --vocab data/vocab.txt --output_dir data/cola
    python scripts/prepare_glue_data.py --sentences title text --label topic \
        --train train.csv --dev dev.csv \
        --pretrained bert --output_dir data/topics
"""

import argparse
import os

import command_line
from bert import glue
from bert import prepared
from bert import vocabulary
from command_line import InputError
from command_line import files
from command_line import progress
from command_line.heartbeat import Heartbeat


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """Writes the records and the vocabulary.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict of sizes.

    Raises:
        InputError: If a file cannot be used.
    """
    task = _task(arguments)
    pieces, do_lower_case = prepared.tokenizer(arguments)
    sets = {
        "train": glue.read("--train", arguments.train, task),
        "dev": glue.read("--dev", arguments.dev, task),
    }
    directory = arguments.output_dir
    settings = {**vars(arguments), "do_lower_case": do_lower_case}
    prepared.begin(directory, settings)
    vocab = os.path.join(directory, "vocab.txt")
    vocabulary.write(vocab, pieces)
    progress.say("importing TensorFlow")
    # Takes ten seconds to import, and is imported after the checks.
    from official.nlp.data import classifier_data_lib
    from official.nlp.tools import tokenization

    tokenizer = tokenization.FullTokenizer(vocab, do_lower_case=do_lower_case)
    for name, examples in sets.items():
        path = os.path.join(directory, f"{name}.tfrecord")
        what = f"{name}: turning {len(examples):,} examples into records"
        with files.whole(path) as partial, Heartbeat(what):
            classifier_data_lib.file_based_convert_examples_to_features(
                [
                    classifier_data_lib.InputExample(
                        guid=str(number),
                        text_a=sentences[0],
                        text_b=sentences[1] if len(sentences) > 1 else None,
                        label=label,
                    )
                    for number, (*sentences, label) in enumerate(examples)
                ],
                list(task.labels or ()),
                arguments.max_seq_length,
                tokenizer,
                partial,
                label_type=int if task.labels else float,
            )
    return prepared.finish(
        directory,
        {
            "metric": task.metric,
            "labels": list(task.labels or ()),
            "vocab_size": len(pieces),
            "do_lower_case": do_lower_case,
            "max_seq_length": arguments.max_seq_length,
            "train_examples": len(sets["train"]),
            "dev_examples": len(sets["dev"]),
        },
    )


def _task(arguments):
    """Returns the task of a command line."""
    own = {"--label": arguments.label, "--metric": arguments.metric}
    if arguments.task:
        for name, value in own.items():
            if value is not None:
                raise InputError(
                    f"`{name}` must be given with --sentences, not with "
                    f"--task. Received: {name}={value}"
                )
        return glue.TASKS[arguments.task]
    if len(arguments.sentences) > 2:
        raise InputError(
            "`--sentences` must name one column or two. "
            f"Received: --sentences={' '.join(arguments.sentences)}"
        )
    if arguments.label is None:
        raise InputError(
            "`--label` must be given with --sentences. "
            f"Received: --sentences={' '.join(arguments.sentences)}"
        )
    task = glue.own_task(
        arguments.train,
        arguments.sentences,
        arguments.label,
        arguments.metric or "accuracy",
    )
    what = "numbers"
    if task.labels:
        shown = ", ".join(map(repr, task.labels))[:60]
        what = f"{len(task.labels):,} classes: {shown}"
        if task.metric == "f1":
            what += f", and F1 is that of {task.labels[1]!r}"
    progress.say(f"taking {what}")
    return task


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    add = result.add_argument
    kind = result.add_mutually_exclusive_group(required=True)
    kind.add_argument(
        "--task",
        choices=glue.TASKS,
        metavar="TASK",
        help=f"a task of GLUE, of {', '.join(glue.TASKS)}",
    )
    kind.add_argument(
        "--sentences",
        nargs="+",
        action="extend",
        metavar="COLUMN",
        help="the column of the sentences in files of yours, or both columns",
    )
    add(
        "--label",
        metavar="COLUMN",
        help="the column of the label in files of yours",
    )
    add(
        "--metric",
        choices=glue.METRICS,
        metavar="METRIC",
        help=(
            f"metric of files of yours, of {', '.join(glue.METRICS)}; accuracy "
            "otherwise. With the last, labels are numbers to predict"
        ),
    )
    add("--train", required=True, metavar="FILE", help="examples to train on")
    add("--dev", required=True, metavar="FILE", help="those to evaluate on")
    prepared.add_arguments(result, max_seq_length=128)
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
