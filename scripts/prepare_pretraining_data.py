r"""Converts plain text to a WordPiece vocabulary and TFRecords for BERT.

The text is read as a stream: memory does not grow with it. A blank line ends a
document; a line may hold a sentence or a paragraph. Every n-th document is held
out for evaluation. After an interruption, the same command writes the missing
shards. Examples:

    python scripts/prepare_pretraining_data.py \
        --input 'corpus/*.txt.xz' --output_dir data --processes 4
    python scripts/prepare_pretraining_data.py \
        --tfds wikipedia/20230601.en --vocab vocab.txt --output_dir data
"""

import argparse
import hashlib
import os

import command_line
from bert import prepared
from bert import shards
from bert import texts
from bert import vocabulary
from command_line import InputError
from command_line import files
from command_line import progress
from command_line.heartbeat import Heartbeat


def run(arguments: argparse.Namespace) -> dict[str, int]:
    """Writes the vocabulary, both sets of records and their sizes.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict of sizes, `train_examples` and `heldout_examples` among them.

    Raises:
        InputError: If the text, the vocabulary or the directory cannot be used.
    """
    progress.say("reading the text")
    settings = {**vars(arguments), "inputs": _sizes_of_inputs(arguments)}
    if next(_documents(settings), None) is None:
        name = "--tfds" if arguments.tfds else "--input"
        value = arguments.tfds or " ".join(arguments.input)
        raise InputError(
            f"`{name}` must hold text; there is none. Received: {name}={value}"
        )
    given, do_lower_case = prepared.tokenizer(arguments)
    settings["do_lower_case"] = do_lower_case
    if given:
        settings["pieces"] = hashlib.sha256(repr(given).encode()).hexdigest()
    prepared.begin(arguments.output_dir, _what_matters(settings))
    vocab_path = os.path.join(arguments.output_dir, "vocab.txt")
    if given:
        pieces = given
        vocabulary.write(vocab_path, pieces)
    elif os.path.exists(vocab_path):
        pieces = vocabulary.read("--output_dir", vocab_path)
    else:
        pieces = vocabulary.train(
            _lines(settings),
            arguments.vocab_size,
            do_lower_case,
            arguments.vocab_megabytes,
        )
        vocabulary.write(vocab_path, pieces)
        progress.say(
            f"the vocabulary has {len(pieces):,} pieces, of at most "
            f"{arguments.vocab_size:,}"
        )
    totals = {"train": 0, "heldout": 0}
    dealt = shards.deal(
        _documents(settings), arguments.heldout_every, arguments.shard_megabytes
    )
    with Heartbeat("masking the text") as beat:
        for name, examples in shards.written(dealt, settings):
            totals[name.split("-")[0]] += examples
            progress.say(f"{name}: {examples:,} examples")
            beat.reached(f"{sum(totals.values()):,} examples")
    if not all(totals.values()):
        raise InputError(
            "`--heldout_every` must leave documents for training and for "
            "evaluation; is there a blank line after each document of the "
            f"text? Received: --heldout_every={arguments.heldout_every}"
        )
    return prepared.finish(
        arguments.output_dir,
        {
            "vocab_size": len(pieces),
            "do_lower_case": do_lower_case,
            "max_seq_length": arguments.max_seq_length,
            "max_predictions_per_seq": arguments.max_predictions_per_seq,
            "train_examples": totals["train"],
            "heldout_examples": totals["heldout"],
        },
    )


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    source = result.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--input",
        nargs="+",
        action="extend",
        metavar="FILE",
        help="text files or patterns; .gz, .bz2, .xz and .zip are unpacked",
    )
    source.add_argument(
        "--tfds",
        metavar="NAME",
        help="TensorFlow dataset, such as wikipedia/20230601.en",
    )
    add = result.add_argument
    add("--tfds_split", default="train", help="split of that dataset")
    add("--tfds_feature", default="text", help="its feature with the text")
    add("--output_dir", required=True, metavar="DIR", help="where to write")
    prepared.add_tokenizer_arguments(result, required=False)
    add(
        "--vocab_size",
        type=command_line.integer(10),
        default=30522,
        help="pieces of a trained vocabulary at most",
    )
    add(
        "--vocab_megabytes",
        type=command_line.integer(1),
        default=256,
        help="million characters to train a vocabulary on at most",
    )
    add(
        "--max_seq_length",
        type=command_line.integer(8),
        default=128,
        help="tokens a sequence",
    )
    add(
        "--max_predictions_per_seq",
        type=command_line.integer(1),
        default=20,
        help="masked tokens a sequence at most",
    )
    add(
        "--masked_lm_prob",
        type=command_line.number(0, 1),
        default=0.15,
        help="share of tokens that is masked",
    )
    add(
        "--short_seq_prob",
        type=command_line.number(0, 1),
        default=0.1,
        help="share of sequences made shorter",
    )
    add(
        "--dupe_factor",
        type=command_line.integer(1),
        default=10,
        help="times each document is masked",
    )
    add(
        "--heldout_every",
        type=command_line.integer(2),
        default=10,
        help="every n-th document is held out",
    )
    add(
        "--shard_megabytes",
        type=command_line.number(0.001, 1000),
        default=4.0,
        help="million characters of text a shard; memory grows with it",
    )
    add(
        "--processes",
        type=command_line.integer(1),
        default=1,
        help="processes that write shards",
    )
    add("--seed", type=int, default=12345, help="seed of the masks")
    return result


def _sizes_of_inputs(arguments):
    if arguments.tfds:
        return None
    paths = files.find("--input", arguments.input)
    return [[path, os.path.getsize(path)] for path in paths]


def _what_matters(settings):
    """Returns the settings that decide what the records are."""
    irrelevant = ("input", "processes")
    return {k: v for k, v in settings.items() if k not in irrelevant}


def _lines(settings):
    if settings["tfds"]:
        return texts.lines_of_dataset(
            settings["tfds"], settings["tfds_split"], settings["tfds_feature"]
        )
    return texts.lines_of_files(
        "--input", [path for path, _ in settings["inputs"]]
    )


def _documents(settings):
    return texts.documents(_lines(settings))


if __name__ == "__main__":
    command_line.main(parser(), run)
