"""Defines the classification of sentences, and of pairs of them."""

import itertools
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bert import glue
from experiments.real_models import encoder
from experiments.real_models.tasks.task import Task
from experiments.real_models.tasks.task import cross_entropies
from experiments.real_models.tasks.task import orders

# Lengths of mini-batches are multiples of it.
_MULTIPLE = 8
_EVALUATED_AT_ONCE = 64


class Sentences(Task):
    """Stores the sentences of CoLA or RTE.

    The last ninth of the training set is for the search; that of GLUE's
    development set is for the comparison, since the labels of the test set are
    not public.

    Args:
        experiment: The experiment.
        sources: Paths of the data, by name.
    """

    def __init__(self, experiment: Mapping, sources: Mapping[str, str]):
        super().__init__(experiment)
        name = experiment["data"]
        self._directory = sources["encoder"]
        self._encoder = encoder.Encoder(self._directory)
        folder = Path(sources[name])
        task = glue.TASKS[name]
        tokenizer = _tokenizer(self._directory)
        read = {
            part: _arrays(
                glue.read(f"--{name}", str(folder / f"{part}.tsv"), task),
                task,
                tokenizer,
                experiment["length"],
            )
            for part in ("train", "dev")
        }
        x, y = read["train"]
        order = np.random.default_rng(0).permutation(len(y))
        tuning, training = np.split(order, [len(y) // 9])
        self._training = {k: v[training] for k, v in x.items()}, y[training]
        self._held_out = {
            "tuning": ({k: v[tuning] for k, v in x.items()}, y[tuning]),
            "comparison": read["dev"],
        }

    @property
    def all_steps(self) -> int:
        """Returns the number of steps of a whole run."""
        each = len(self._training[1]) // self.experiment["batch_size"]
        return each * self.experiment["epochs"]

    def model(self, seed: int):
        """Returns the encoder with a new head.

        Args:
            seed: Seed of the head.
        """
        bert = self._encoder.copy()
        pooled = encoder.dropped_out(self.keras, bert.output["pooled_output"])
        output = encoder.head(self.keras, 2, seed)(pooled)
        return self.keras.Model(bert.input, output)

    def batches(self, seed: int) -> Iterator[tuple]:
        """Yields mini-batches as long as their longest sentence.

        Args:
            seed: Seed of their order.
        """
        x, y = self._training
        size = self.experiment["batch_size"]
        found = orders(len(y), size, self.steps, seed)
        if self.experiment["grouped"]:
            lengths = x["padding_mask"].sum(axis=1)
            found = grouped(found, lengths, self.experiment["grouped"], seed)
        for chosen in found:
            yield _cut({k: v[chosen] for k, v in x.items()}), y[chosen]

    def examples(self) -> tuple[dict, np.ndarray]:
        """Returns the inputs and classes of all training sentences."""
        x, y = self._training
        return _cut(x), y

    def evaluate(self, model, which: str, last: bool) -> dict:
        """Returns loss, accuracy and Matthews correlation.

        Args:
            model: The model.
            which: `"tuning"` or `"comparison"`.
            last: Not used.
        """
        x, y = self._held_out[which]
        # Sentences of equal length together, which saves padding.
        order = np.argsort(x["padding_mask"].sum(axis=1), kind="stable")
        logits = np.empty((len(y), 2))
        for first in range(0, len(y), _EVALUATED_AT_ONCE):
            chosen = order[first : first + _EVALUATED_AT_ONCE]
            batch = _cut({k: v[chosen] for k, v in x.items()})
            logits[chosen] = model.predict_on_batch(batch)
        predicted = logits.argmax(axis=1)
        return {
            "loss": float(cross_entropies(logits, y).mean()),
            "accuracy": float(np.mean(predicted == y)),
            "matthews": matthews(predicted, y),
        }


def grouped(
    batches: Iterator[np.ndarray], lengths: np.ndarray, number: int, seed: int
) -> Iterator[np.ndarray]:
    """Yields mini-batches of examples of about the same length, in any order.

    Args:
        batches: The numbers of the examples of random mini-batches.
        lengths: Length of each example.
        number: Number of mini-batches whose examples are sorted by length.
        seed: Seed of the order in which these then come.
    """
    rng = np.random.default_rng([seed, 1])
    while pool := list(itertools.islice(batches, number)):
        chosen = np.concatenate(pool)
        chosen = chosen[np.argsort(lengths[chosen], kind="stable")]
        yield from rng.permutation(chosen.reshape(len(pool), -1))


def matthews(predicted: np.ndarray, y: np.ndarray) -> float:
    """Returns the correlation of predicted and true classes, 0 or 1.

    Args:
        predicted: The predictions.
        y: The classes.
    """
    if len({*predicted}) < 2 or len({*y}) < 2:
        return 0.0
    return float(np.corrcoef(predicted, y)[0, 1])


def _tokenizer(directory):
    """Returns the tokenizer of the encoder; BERT's, in lower case."""
    from official.nlp.tools import tokenization

    return tokenization.FullTokenizer(
        str(Path(directory) / "vocab.txt"), do_lower_case=True
    )


def _arrays(examples, task, tokenizer, length):
    """Returns the model's inputs and the classes."""
    x = {
        name: np.zeros((len(examples), length), "int32")
        for name in ("token_ids", "segment_ids", "padding_mask")
    }
    for row, (*sentences, _) in enumerate(examples):
        pieces = [tokenizer.tokenize(sentence) for sentence in sentences]
        # The longer one is cut, as BERT does.
        while sum(map(len, pieces)) > length - len(pieces) - 1:
            max(pieces, key=len).pop()
        tokens, segments = ["[CLS]"], [0]
        for segment, part in enumerate(pieces):
            tokens += [*part, "[SEP]"]
            segments += [segment] * (len(part) + 1)
        ids = tokenizer.convert_tokens_to_ids(tokens)
        x["token_ids"][row, : len(ids)] = ids
        x["segment_ids"][row, : len(ids)] = segments
        x["padding_mask"][row, : len(ids)] = 1
    y = [task.labels.index(label) for *_, label in examples]
    return x, np.array(y, "int32")


def _cut(x):
    """Returns a mini-batch without what is padding in all its rows."""
    longest = x["padding_mask"].sum(axis=1).max()
    length = -(-longest // _MULTIPLE) * _MULTIPLE
    return {name: array[:, :length] for name, array in x.items()}
