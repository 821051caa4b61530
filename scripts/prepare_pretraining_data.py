"""Turns plain text into a WordPiece vocabulary and TFRecords for BERT.

The text is one sentence a line with a blank line between documents. Every
n-th document is held out for evaluation. Example:

    python scripts/prepare_pretraining_data.py \
        --input corpus.txt --output_dir data --vocab_size 8000
"""

import argparse
import itertools
import json
import os
import random
import tempfile
from collections.abc import Iterator
from collections.abc import Sequence

import tensorflow as tf
from official.nlp.data import create_pretraining_data
from official.nlp.tools import tokenization
from tensorflow_text.tools.wordpiece_vocab import bert_vocab_from_dataset

RESERVED_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def documents(paths: Sequence[str]) -> Iterator[list[str]]:
    """Yields the documents of text files as lists of lines.

    Args:
        paths: Files of plain text, a blank line between documents.

    Yields:
        Non-empty lists of non-empty lines.
    """
    for path in paths:
        with open(path, encoding="utf-8") as file:
            lines = (line.strip() for line in file)
            for filled, group in itertools.groupby(lines, key=bool):
                if filled:
                    yield list(group)


def train_vocabulary(
    paths: Sequence[str], vocab_size: int, do_lower_case: bool
) -> list[str]:
    """Returns a WordPiece vocabulary of at most `vocab_size` pieces.

    Args:
        paths: Files of plain text.
        vocab_size: Largest number of pieces, reserved tokens included.
        do_lower_case: Whether text is lower-cased first.

    Returns:
        List of pieces, the reserved tokens first.
    """
    return bert_vocab_from_dataset.bert_vocab_from_dataset(
        tf.data.TextLineDataset(list(paths)).batch(1000),
        vocab_size=vocab_size,
        reserved_tokens=RESERVED_TOKENS,
        bert_tokenizer_params={"lower_case": do_lower_case},
    )


def write_records(
    texts: Sequence[Sequence[str]],
    tokenizer: tokenization.FullTokenizer,
    path: str,
    arguments: argparse.Namespace,
    duplicates: int,
) -> int:
    """Writes documents as masked examples.

    Args:
        texts: Documents as lists of lines.
        tokenizer: WordPiece tokenizer.
        path: TFRecord file to write.
        arguments: The command line's lengths, probabilities and seed.
        duplicates: How often each document is used, masked anew each time.

    Returns:
        The number of examples.
    """
    with tempfile.TemporaryDirectory() as directory:
        text_path = os.path.join(directory, "documents.txt")
        with open(text_path, "w", encoding="utf-8") as file:
            file.write("\n\n".join("\n".join(lines) for lines in texts))
        instances = create_pretraining_data.create_training_instances(
            [text_path],
            tokenizer,
            create_pretraining_data.get_processor_text_fn(
                is_sentence_piece=False, do_lower_case=arguments.do_lower_case
            ),
            arguments.max_seq_length,
            duplicates,
            arguments.short_seq_prob,
            arguments.masked_lm_prob,
            arguments.max_predictions_per_seq,
            random.Random(arguments.seed),
        )
    partial = f"{path}.partial"
    create_pretraining_data.write_instance_to_example_files(
        instances,
        tokenizer,
        arguments.max_seq_length,
        arguments.max_predictions_per_seq,
        [partial],
        gzip_compress=False,
        use_v2_feature_names=False,
    )
    os.replace(partial, path)
    return len(instances)


def run(arguments: argparse.Namespace) -> dict[str, int]:
    """Writes the vocabulary, both sets of records and their sizes.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict with `vocab_size`, `train_examples` and `heldout_examples`.
    """
    os.makedirs(arguments.output_dir, exist_ok=True)
    vocab_path = os.path.join(arguments.output_dir, "vocab.txt")
    pieces = train_vocabulary(
        arguments.input, arguments.vocab_size, arguments.do_lower_case
    )
    with open(vocab_path, "w", encoding="utf-8") as file:
        file.write("\n".join(pieces) + "\n")
    tokenizer = tokenization.FullTokenizer(
        vocab_path, do_lower_case=arguments.do_lower_case
    )
    texts = list(documents(arguments.input))
    every = arguments.heldout_every
    sets = {
        "train": [t for i, t in enumerate(texts) if i % every != every - 1],
        "heldout": texts[every - 1 :: every],
    }
    sizes = {"vocab_size": len(pieces)}
    for name, chosen in sets.items():
        sizes[f"{name}_examples"] = write_records(
            chosen,
            tokenizer,
            os.path.join(arguments.output_dir, f"{name}.tfrecord"),
            arguments,
            arguments.dupe_factor if name == "train" else 1,
        )
    with open(
        os.path.join(arguments.output_dir, "sizes.json"), "w", encoding="utf-8"
    ) as file:
        json.dump(sizes, file, indent=2)
    return sizes


def parser() -> argparse.ArgumentParser:
    """Returns the parser of this script's command line."""
    result = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("--input", nargs="+", required=True, help="text files")
    add("--output_dir", required=True, help="where to write")
    add("--vocab_size", type=int, default=30522, help="pieces at most")
    add(
        "--cased",
        dest="do_lower_case",
        action="store_false",
        help="keep upper case and accents",
    )
    add("--max_seq_length", type=int, default=128, help="tokens a sequence")
    add(
        "--max_predictions_per_seq",
        type=int,
        default=20,
        help="masked tokens a sequence at most",
    )
    add("--masked_lm_prob", type=float, default=0.15, help="share masked")
    add(
        "--short_seq_prob",
        type=float,
        default=0.1,
        help="share of sequences made shorter",
    )
    add(
        "--dupe_factor",
        type=int,
        default=10,
        help="times each document is masked anew",
    )
    add(
        "--heldout_every",
        type=int,
        default=10,
        help="every n-th document is held out",
    )
    add("--seed", type=int, default=12345, help="seed of the masks")
    return result


if __name__ == "__main__":
    print(json.dumps(run(parser().parse_args())))
