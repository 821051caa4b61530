r"""Converts SQuAD files, v1.1 or v2.0, for finetune_squad.py.

Writes TFRecords of the training questions, a copy of the questions to evaluate
on, and the vocabulary. Both files may be compressed. A model that is trained on
unanswerable questions, as v2.0 has them, learns when to give no answer.
Example:

    python scripts/prepare_squad_data.py \
        --train train-v1.1.json --dev dev-v1.1.json.zip \
        --vocab data/vocab.txt --output_dir data/squad
"""

import argparse
import os
import tempfile

import command_line
from bert import prepared
from bert import squad
from bert import texts
from bert import vocabulary
from command_line import InputError
from command_line import files
from command_line import progress
from command_line.heartbeat import Heartbeat


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """Writes the records, the questions and the vocabulary.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict of sizes, `train_examples` among them: windows over paragraphs.

    Raises:
        InputError: If a file cannot be used.
    """
    # A window holds [CLS], question, [SEP], part of the paragraph and [SEP].
    if arguments.max_query_length + 3 >= arguments.max_seq_length:
        raise InputError(
            "`--max_query_length` must be less than --max_seq_length - 3, "
            f"{arguments.max_seq_length - 3}. "
            f"Received: --max_query_length={arguments.max_query_length}"
        )
    # Otherwise words between two windows would be in neither of them.
    longest = arguments.max_seq_length - arguments.max_query_length - 3
    if arguments.doc_stride > longest:
        raise InputError(
            "`--doc_stride` must be at most --max_seq_length - "
            f"--max_query_length - 3, {longest}, what a window holds of a "
            f"paragraph. Received: --doc_stride={arguments.doc_stride}"
        )
    pieces, do_lower_case = prepared.tokenizer(arguments)
    train = squad.read_training("--train", arguments.train)
    dev = squad.read_references("--dev", arguments.dev)
    if all(texts.is_blank(paragraph) for paragraph, _ in squad.questions(dev)):
        raise InputError(
            "`--dev` must hold a question about a paragraph with text. "
            f"Received: --dev={arguments.dev}"
        )
    unanswerable = squad.has_unanswerable(train)
    if squad.has_unanswerable(dev) and not unanswerable:
        raise InputError(
            "`--dev` must hold no unanswerable question where --train holds "
            "none: the model would never have seen one. Take a --train file "
            "of SQuAD v2.0, or leave these questions out of --dev. "
            f"Received: --dev={arguments.dev}"
        )
    directory = arguments.output_dir
    settings = {**vars(arguments), "do_lower_case": do_lower_case}
    prepared.begin(directory, settings)
    vocab = os.path.join(directory, "vocab.txt")
    vocabulary.write(vocab, pieces)
    files.write_json(os.path.join(directory, "dev.json"), dev)
    progress.say("importing TensorFlow")
    # Takes ten seconds to import, and is imported after the checks.
    from official.nlp.data import squad_lib

    count = sum(1 for _ in squad.questions(train))
    with (
        Heartbeat(f"turning {count:,} questions into records"),
        tempfile.TemporaryDirectory() as unpacked,
        files.whole(os.path.join(directory, "train.tfrecord")) as partial,
    ):
        path = os.path.join(unpacked, "train.json")
        files.write_json(path, squad.marked(train))
        description = squad_lib.generate_tf_record_from_json_file(
            path,
            vocab,
            partial,
            max_seq_length=arguments.max_seq_length,
            do_lower_case=do_lower_case,
            max_query_length=arguments.max_query_length,
            doc_stride=arguments.doc_stride,
            version_2_with_negative=unanswerable,
        )
    if not description["train_data_size"]:
        raise InputError(
            "`--train` must hold a question whose answer can be found in its "
            f"paragraph. Received: --train={arguments.train}"
        )
    return prepared.finish(
        directory,
        {
            "vocab_size": len(pieces),
            "do_lower_case": do_lower_case,
            "max_seq_length": arguments.max_seq_length,
            "max_query_length": arguments.max_query_length,
            "doc_stride": arguments.doc_stride,
            "train_examples": description["train_data_size"],
            "unanswerable": unanswerable,
        },
    )


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    add = result.add_argument
    add("--train", required=True, metavar="FILE", help="SQuAD JSON")
    add(
        "--dev",
        required=True,
        metavar="FILE",
        help="SQuAD JSON to evaluate on",
    )
    prepared.add_arguments(result, max_seq_length=384)
    add(
        "--max_query_length",
        type=command_line.integer(1),
        default=64,
        help="tokens a question at most",
    )
    add(
        "--doc_stride",
        type=command_line.integer(1),
        default=128,
        help="tokens between the windows over a long paragraph",
    )
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
