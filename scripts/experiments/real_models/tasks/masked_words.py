"""Defines the pretraining of a small BERT: the prediction of masked words."""

import math
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from command_line import InputError
from command_line.files import read_json
from experiments.real_models.tasks.task import Task
from experiments.real_models.tasks.task import cross_entropies
from experiments.real_models.tasks.task import orders

_EVALUATED_AT_ONCE = 64
_DECILES = 10


class MaskedWords(Task):
    """Stores sequences of text with some words masked.

    Every second held-out sequence is for the search, the others are for the
    comparison.

    Args:
        experiment: The experiment.
        sources: Paths of the data, by name.
    """

    def __init__(self, experiment: Mapping, sources: Mapping[str, str]):
        super().__init__(experiment)
        folder = Path(sources["text"])
        sizes = read_json("--text", str(folder / "sizes.json"))
        self._sizes = sizes
        number = experiment["steps"] * experiment["batch_size"]
        self._training = _arrays(folder, "train", sizes, number)
        held_out = _arrays(
            folder, "heldout", sizes, 2 * experiment["evaluated"]
        )
        self._held_out = {
            "tuning": {k: v[::2] for k, v in held_out.items()},
            "comparison": {k: v[1::2] for k, v in held_out.items()},
        }
        self._decile_of = deciles(
            self._training["masked_ids"][self._training["weights"] > 0],
            sizes["vocab_size"],
        )

    @property
    def all_steps(self) -> int:
        """Returns the number of steps of a whole run."""
        return self.experiment["steps"]

    def model(self, seed: int):
        """Returns a BERT with random weights and tied output weights.

        Args:
            seed: Not used: the seed of all layers is that of the program.
        """
        import keras_hub

        width = self.experiment["hidden_size"]
        backbone = keras_hub.models.BertBackbone(
            vocabulary_size=self._sizes["vocab_size"],
            num_layers=self.experiment["num_layers"],
            num_heads=width // 64,
            hidden_dim=width,
            intermediate_dim=4 * width,
            dropout=0.0,
            max_sequence_length=self._sizes["max_seq_length"],
        )
        # Nothing that is predicted depends on it.
        backbone.pooled_dense.trainable = False
        task = keras_hub.models.BertMaskedLM(backbone)
        # The same layers without KerasHub's `fit`, which needs TensorFlow or
        # Grain (keras_hub/src/utils/pipeline_model.py, 0.32.0).
        return self.keras.Model(task.input, task.output)

    def batches(self, seed: int) -> Iterator[tuple]:
        """Yields mini-batches with weights that have the mean 1.

        Args:
            seed: Seed of their order.
        """
        data, size = self._training, self.experiment["batch_size"]
        examples = len(data["masked_ids"])
        for chosen in orders(examples, size, self.steps, seed):
            weights = data["weights"][chosen]
            yield (
                _inputs(data, chosen),
                data["masked_ids"][chosen].astype("int32"),
                weights / weights.mean(),
            )

    def evaluate(self, model, which: str, last: bool) -> dict:
        """Returns loss and accuracy, and the loss by frequency of the word.

        Args:
            model: The model.
            which: `"tuning"` or `"comparison"`.
            last: Whether training has ended; before, a quarter is evaluated.
        """
        data = self._held_out[which]
        number = len(data["masked_ids"])
        number = number if last else max(number // 4, 1)
        losses, right, words = [], [], []
        for first in range(0, number, _EVALUATED_AT_ONCE):
            chosen = slice(first, min(first + _EVALUATED_AT_ONCE, number))
            y = data["masked_ids"][chosen].astype("int32")
            there = data["weights"][chosen] > 0
            logits = np.asarray(model.predict_on_batch(_inputs(data, chosen)))
            losses.append(cross_entropies(logits, y)[there])
            right.append((logits.argmax(axis=-1) == y)[there])
            words.append(y[there])
        losses, words = np.concatenate(losses), np.concatenate(words)
        found = {
            "loss": float(losses.mean()),
            "accuracy": float(np.concatenate(right).mean()),
        }
        if last:
            decile = self._decile_of[words]
            found["loss_by_decile"] = [
                float(f"{losses[decile == number].mean():.5g}")
                if np.any(decile == number)
                else math.nan
                for number in range(_DECILES)
            ]
        return found


def deciles(words: np.ndarray, vocab_size: int) -> np.ndarray:
    """Returns the decile of each word: 0 has the most frequent ones.

    Each has about a tenth of all occurrences.

    Args:
        words: The words that occur, each as often as it does.
        vocab_size: Number of words.
    """
    counts = np.bincount(words, minlength=vocab_size)
    order = np.argsort(-counts, kind="stable")
    before = np.cumsum(counts[order]) - counts[order]
    found = np.empty(vocab_size, int)
    found[order] = np.minimum(
        _DECILES * before // max(counts.sum(), 1), _DECILES - 1
    )
    return found


def _inputs(data, chosen):
    names = ("token_ids", "segment_ids", "padding_mask", "mask_positions")
    return {name: data[name][chosen].astype("int32") for name in names}


def _arrays(folder, part, sizes, number):
    """Returns the first sequences of a part of the text, in a mixed order."""
    import tensorflow as tf

    from bert import pretraining_records
    from bert import records

    paths = sorted(str(path) for path in folder.glob(f"{part}-*.tfrecord"))
    if not paths:
        raise InputError(
            "`--text` must hold what prepare_pretraining_data.py has written. "
            f"Received: --text={folder}"
        )
    for path in paths:
        records.count("--text", path)
    # All shards in turn, so that both kinds of text are there.
    parts = tf.data.Dataset.from_tensor_slices(paths).interleave(
        tf.data.TFRecordDataset, cycle_length=len(paths)
    )
    names = {
        "token_ids": ("input_ids", "uint16"),
        "segment_ids": ("segment_ids", "uint8"),
        "padding_mask": ("input_mask", "uint8"),
        "mask_positions": ("masked_lm_positions", "uint16"),
        "masked_ids": ("masked_lm_ids", "uint16"),
        "weights": ("masked_lm_weights", "float32"),
    }
    found = pretraining_records.arrays(parts.take(number), sizes)
    arrays = {
        ours: found[theirs].astype(kind)
        for ours, (theirs, kind) in names.items()
    }
    if len(arrays["weights"]) < number:
        raise InputError(
            f"`--text` must hold {number:,} sequences in {part}-*.tfrecord, "
            f"not {len(arrays['weights']):,}. Received: --text={folder}"
        )
    return arrays
