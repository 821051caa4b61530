r"""Converts the files of GLUE's CoLA or RTE for finetune_glue.py.

Writes TFRecords and the vocabulary. Example:

    python scripts/prepare_glue_data.py --task cola \
        --train CoLA/train.tsv --dev CoLA/dev.tsv \
        --vocab data/vocab.txt --output_dir data/cola
"""

import argparse
import os

import command_line
from bert import glue
from bert import prepared
from bert import vocabulary
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
    task = glue.TASKS[arguments.task]
    pieces = vocabulary.read("--vocab", arguments.vocab)
    sets = {
        "train": glue.read("--train", arguments.train, task),
        "dev": glue.read("--dev", arguments.dev, task),
    }
    directory = arguments.output_dir
    prepared.begin(directory, vars(arguments))
    vocab = os.path.join(directory, "vocab.txt")
    vocabulary.write(vocab, pieces)
    progress.say("importing TensorFlow")
    # Takes ten seconds to import, and is imported after the checks.
    from official.nlp.data import classifier_data_lib
    from official.nlp.tools import tokenization

    tokenizer = tokenization.FullTokenizer(
        vocab, do_lower_case=arguments.do_lower_case
    )
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
                list(task.labels),
                arguments.max_seq_length,
                tokenizer,
                partial,
            )
    return prepared.finish(
        directory,
        {
            "task": arguments.task,
            "vocab_size": len(pieces),
            "do_lower_case": arguments.do_lower_case,
            "max_seq_length": arguments.max_seq_length,
            "train_examples": len(sets["train"]),
            "dev_examples": len(sets["dev"]),
        },
    )


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    add = result.add_argument
    add("--task", required=True, choices=glue.TASKS, help="which task it is")
    add("--train", required=True, metavar="FILE", help="train.tsv")
    add("--dev", required=True, metavar="FILE", help="dev.tsv")
    prepared.add_arguments(result, max_seq_length=128)
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
