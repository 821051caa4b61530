"""Defines the prediction of each next word of a text."""

import itertools
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from command_line import InputError
from command_line import files
from experiments.real_models.tasks.garden_task import GardenTask
from experiments.real_models.tasks.task import cross_entropies


class NextWords(GardenTask):
    """Stores a text in word pieces, for a Transformer-XL.

    The end of the text is held out: its first half is for the search, its
    second half for the comparison. The rest is read from as many places as a
    mini-batch has sequences, over again where the text is short.

    Args:
        experiment: The experiment.
        sources: Paths of the data, by name.
    """

    def __init__(self, experiment: Mapping, sources: Mapping[str, str]):
        super().__init__(experiment)
        vocab = Path(sources["text"]) / "vocab.txt"
        self._vocab_size = len(vocab.read_text("utf-8").splitlines())
        read = experiment["batch_size"] * experiment["length"]
        training = experiment["steps"] * read
        held_out = experiment["evaluated"] * read
        least, most = (
            part + 2 * held_out + 1 for part in (training // 2, training)
        )
        pieces = _pieces(sources["language"], str(vocab), least, most)
        end = len(pieces) - 1 - 2 * held_out
        self._parts = {
            "training": pieces[: end + 1],
            "tuning": pieces[end : end + held_out + 1],
            "comparison": pieces[end + held_out :],
        }

    @property
    def all_steps(self) -> int:
        """Returns the number of steps of a whole run."""
        return self.experiment["steps"]

    def model(self, seed: int):
        """Returns a Transformer-XL with random weights.

        Args:
            seed: Not used: the seed of all layers is that of the program.
        """
        from experiments.real_models.transformer_xl import TransformerXL

        names = ("num_layers", "hidden_size", "length", "memory", "batch_size")
        sizes = {name: self.experiment[name] for name in names}
        model = TransformerXL(
            self._vocab_size, **sizes, dropout=self.experiment["dropout"]
        )
        shape = sizes["batch_size"], sizes["length"]
        model(np.zeros(shape, "int32"))
        model.forget()
        return model

    def batches(self, seed: int) -> Iterator[tuple]:
        """Yields mini-batches, each of which continues the one before.

        Args:
            seed: Seed of the place where reading begins.
        """
        text = self._parts["training"]
        start = np.random.default_rng(seed).integers(len(text))
        turned = np.concatenate([text[start:], text[:start]])
        passes = (self._continued(turned) for _ in itertools.count())
        yield from itertools.islice(
            itertools.chain.from_iterable(passes), self.steps
        )

    def evaluate(self, model, which: str, last: bool) -> dict:
        """Returns the loss, with the memory filled as in training.

        Args:
            model: The model.
            which: `"tuning"` or `"comparison"`.
            last: Whether training has ended; before, a quarter is evaluated.
        """
        remembered = model.remember()
        model.forget()
        batches = list(self._continued(self._parts[which]))
        batches = batches if last else batches[: max(len(batches) // 4, 1)]
        losses = [
            cross_entropies(np.asarray(model.predict_on_batch(x)), y).mean()
            for x, y in batches
        ]
        model.recall(remembered)
        return {"loss": float(np.mean(losses))}

    def _continued(self, text):
        """Yields inputs and targets, read from several places of a text."""
        size, length = self.experiment["batch_size"], self.experiment["length"]
        rows = (len(text) - 1) // size
        number = rows // length
        x = text[: size * rows].reshape(size, rows)
        y = text[1 : size * rows + 1].reshape(size, rows)
        for first in range(0, number * length, length):
            part = slice(first, first + length)
            yield x[:, part].astype("int32"), y[:, part].astype("int32")


def _pieces(path, vocab, least, most):
    """Returns so many word pieces of a text, from its start."""
    from official.nlp.tools import tokenization

    tokenizer = tokenization.FullTokenizer(vocab, do_lower_case=True)
    found = []
    with files.open_text("--language", path) as text:
        for line in text:
            found += tokenizer.convert_tokens_to_ids(tokenizer.tokenize(line))
            if len(found) >= most:
                break
    if len(found) < least:
        raise InputError(
            f"`--language` must hold {least:,} word pieces or more, not "
            f"{len(found):,}. Received: --language={path}"
        )
    return np.array(found[:most], "int32")
