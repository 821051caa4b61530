"""Reads records of pretraining as arrays."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

_AT_ONCE = 1000


def arrays(
    records: tf.data.Dataset, sizes: Mapping[str, int]
) -> dict[str, np.ndarray]:
    """Returns the features of records by Model Garden's names.

    Args:
        records: The serialized records.
        sizes: Contents of the `sizes.json` beside them.

    Returns:
        Dict of arrays of shape `(records, length)` or `(records, predictions)`.
    """
    length = sizes["max_seq_length"]
    predictions = sizes["max_predictions_per_seq"]
    lengths = {
        "input_ids": length,
        "segment_ids": length,
        "input_mask": length,
        "masked_lm_positions": predictions,
        "masked_lm_ids": predictions,
    }
    features = {
        name: tf.io.FixedLenFeature([n], tf.int64)
        for name, n in lengths.items()
    }
    features["masked_lm_weights"] = tf.io.FixedLenFeature(
        [predictions], tf.float32
    )
    batches = [
        {name: np.asarray(value) for name, value in batch.items()}
        for batch in records.batch(_AT_ONCE).map(
            lambda s: tf.io.parse_example(s, features)
        )
    ]
    return {
        name: np.concatenate([batch[name] for batch in batches])
        for name in features
    }
