r"""Saves prepared text as arrays that are read without TensorFlow.

Sequences are saved if they have no padding and as many predictions as most
others: all mini-batches of a size are then alike. Example:

    python scripts/experiments/noise/full_sequences.py \
        --text data/wikipedia --output_file runs/wikipedia.npz
"""

import argparse
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1]))

import command_line  # noqa: E402
from command_line import files  # noqa: E402


def run(arguments: argparse.Namespace) -> dict[str, int]:
    """Writes the arrays.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict of the numbers of all sequences and of those that were saved.

    Raises:
        InputError: If there are no prepared files, or they cannot be read, or
            they have no full sequence.
    """
    import numpy as np
    import tensorflow as tf

    from bert import pretraining_records
    from bert import records

    folder = pathlib.Path(arguments.text)
    paths = sorted(str(path) for path in folder.glob("train-*.tfrecord"))
    if not paths:
        raise command_line.InputError(
            "`--text` must hold what prepare_pretraining_data.py has written. "
            f"Received: --text={folder}"
        )
    files.check_output("--output_file", arguments.output_file)
    for path in paths:
        records.count("--text", path)
    sizes = files.read_json("--text", str(folder / "sizes.json"))
    arrays = pretraining_records.arrays(tf.data.TFRecordDataset(paths), sizes)
    numbers = arrays["masked_lm_weights"].sum(axis=1).astype(int)
    most = int(np.bincount(numbers).argmax())
    kept = (numbers == most) & np.all(arrays["input_mask"] == 1, axis=1)
    if not np.any(kept):
        raise command_line.InputError(
            "`--text` must hold sequences without padding. Received: "
            f"--text={folder} with {len(kept)} that are padded"
        )
    np.savez_compressed(
        arguments.output_file,
        vocab_size=sizes["vocab_size"],
        token_ids=arrays["input_ids"][kept].astype("uint16"),
        segment_ids=arrays["segment_ids"][kept].astype("uint8"),
        mask_positions=arrays["masked_lm_positions"][kept, :most].astype(
            "uint16"
        ),
        masked_ids=arrays["masked_lm_ids"][kept, :most].astype("uint16"),
    )
    return {"sequences": len(kept), "kept": int(kept.sum())}


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    result.add_argument(
        "--text",
        required=True,
        metavar="DIR",
        help="what prepare_pretraining_data.py has written",
    )
    result.add_argument(
        "--output_file", required=True, metavar="NPZ", help="where to write"
    )
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
