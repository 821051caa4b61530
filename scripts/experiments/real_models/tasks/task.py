"""Defines what all tasks have."""

import abc
import math
from collections.abc import Iterator
from collections.abc import Mapping

import numpy as np

from experiments.real_models.added_noise import with_noise


class Task(abc.ABC):
    """Stores the data of an experiment, and makes its models.

    Args:
        experiment: The experiment.

    Attributes:
        keras: Keras 3, or tf_keras where the model is of Model Garden.
        optimizers: Module with the optimizers of this package for it.
    """

    def __init__(self, experiment: Mapping):
        import keras

        import keras_clip

        self.experiment = experiment
        self.keras = keras
        self.optimizers = keras_clip

    @property
    @abc.abstractmethod
    def all_steps(self) -> int:
        """Returns the number of steps of a whole run."""

    @property
    def steps(self) -> int:
        """Returns the number of steps of a run, fewer where it is tried out."""
        most = self.experiment.get("most_steps") or self.all_steps
        return min(most, self.all_steps)

    @abc.abstractmethod
    def model(self, seed: int):
        """Returns the model before the first step, not compiled.

        Args:
            seed: Seed of the weights that are not pretrained.
        """

    @abc.abstractmethod
    def batches(self, seed: int) -> Iterator[tuple]:
        """Yields the mini-batches of a run, arguments of `train_on_batch`.

        Args:
            seed: Seed of their order.
        """

    @abc.abstractmethod
    def evaluate(self, model, which: str, last: bool) -> dict:
        """Returns what is measured on held-out data, the `loss` among it.

        Args:
            model: The model.
            which: `"tuning"` or `"comparison"`, two sets of data.
            last: Whether training has ended.
        """

    def loss(self):
        """Returns the training loss."""
        return self.keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def optimizer(self, arm: Mapping, key):
        """Returns the optimizer of an arm, with the seed of a run.

        Args:
            arm: The arm.
            key: The run.
        """
        arguments = dict(arm["arguments"])
        name = arm["optimizer"]
        cls = getattr(self.optimizers, name, None)
        if cls is not None:
            arguments["monitor"] = True
        else:
            cls = getattr(self.keras.optimizers, name)
        if "noise" in arm:
            cls = with_noise(cls, arm["noise"], key.seed)
        return cls(key.learning_rate, **arguments)

    def train(self, model, batch: tuple) -> float:
        """Takes a step, and returns the loss of its mini-batch.

        Args:
            model: The model.
            batch: The mini-batch.
        """
        model.reset_metrics()
        return float(np.asarray(model.train_on_batch(*batch)))


def cross_entropies(logits: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Returns the cross-entropy of each prediction, of the shape of `targets`.

    Args:
        logits: Array whose last axis is that of the classes.
        targets: Integer array of the classes.
    """
    logits = logits.astype("float64")
    largest = logits.max(axis=-1)
    total = np.log(np.exp(logits - largest[..., None]).sum(axis=-1)) + largest
    return total - np.take_along_axis(logits, targets[..., None], -1)[..., 0]


def orders(examples: int, batch_size: int, steps: int, seed: int):
    """Yields the numbers of the examples of each mini-batch, epoch by epoch.

    Args:
        examples: Number of examples.
        batch_size: Examples in a mini-batch; what is left at the end of an
            epoch is not used in it.
        steps: Number of mini-batches.
        seed: Seed of the order.
    """
    rng = np.random.default_rng(seed)
    each = examples // batch_size
    for _ in range(math.ceil(steps / each)):
        order = rng.permutation(examples)[: each * batch_size]
        yield from order.reshape(each, batch_size)[:steps]
        steps -= each
