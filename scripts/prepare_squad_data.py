"""Turns SQuAD v1.1 JSON into TFRecords for finetuning BERT.

Training reads the records; evaluation reads the JSON itself. Example:

    python scripts/prepare_squad_data.py \
        --input train-v1.1.json --vocab data/vocab.txt \
        --output data/squad_train.tfrecord
"""

import argparse
import json
import os

from official.nlp.data import squad_lib


def run(arguments: argparse.Namespace) -> dict[str, object]:
    """Writes the records.

    Args:
        arguments: The parsed command line.

    Returns:
        Model Garden's description of the data, its size among others.
    """
    partial = f"{arguments.output}.partial"
    description = squad_lib.generate_tf_record_from_json_file(
        arguments.input,
        arguments.vocab,
        partial,
        max_seq_length=arguments.max_seq_length,
        do_lower_case=arguments.do_lower_case,
        max_query_length=arguments.max_query_length,
        doc_stride=arguments.doc_stride,
    )
    os.replace(partial, arguments.output)
    return description


def parser() -> argparse.ArgumentParser:
    """Returns the parser of this script's command line."""
    result = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("--input", required=True, help="SQuAD v1.1 JSON file")
    add("--vocab", required=True, help="WordPiece vocabulary file")
    add("--output", required=True, help="TFRecord file to write")
    add(
        "--cased",
        dest="do_lower_case",
        action="store_false",
        help="keep upper case and accents",
    )
    add("--max_seq_length", type=int, default=384, help="tokens a sequence")
    add("--max_query_length", type=int, default=64, help="tokens a question")
    add(
        "--doc_stride",
        type=int,
        default=128,
        help="tokens between the windows over a long paragraph",
    )
    return result


if __name__ == "__main__":
    print(json.dumps(run(parser().parse_args())))
