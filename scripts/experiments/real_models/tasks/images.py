"""Defines the classification of CIFAR-10's images."""

from collections.abc import Iterator
from collections.abc import Mapping

import numpy as np

from experiments.real_models.tasks.garden_task import GardenTask
from experiments.real_models.tasks.task import cross_entropies
from experiments.real_models.tasks.task import orders

_EVALUATED_AT_ONCE = 200
# Pixels by which an image is moved at most.
_MOVED = 4


class Images(GardenTask):
    """Stores images, for a ResNet.

    A tenth of the training images is for the search, the test images for the
    comparison.

    Args:
        experiment: The experiment.
        sources: Paths of the data, by name.
    """

    def __init__(self, experiment: Mapping, sources: Mapping[str, str]):
        from experiments.noise import study_data

        super().__init__(experiment)
        x, y = study_data.pixels(sources["images"], "train")
        mean, deviation = x.mean((0, 1, 2)), x.std((0, 1, 2))
        x = (x - mean) / deviation
        order = np.random.default_rng(0).permutation(len(y))
        tuning, training = np.split(order, [len(y) // 10])
        test, classes = study_data.pixels(sources["images"], "test")
        self._training = x[training], y[training]
        self._held_out = {
            "tuning": (x[tuning], y[tuning]),
            "comparison": ((test - mean) / deviation, classes),
        }

    @property
    def all_steps(self) -> int:
        """Returns the number of steps of a whole run."""
        each = len(self._training[1]) // self.experiment["batch_size"]
        return each * self.experiment["epochs"]

    def model(self, seed: int):
        """Returns a ResNet with random weights.

        Args:
            seed: Not used: the seed of all layers is that of the program.
        """
        from experiments.noise import study_models

        return study_models.resnet()

    def batches(self, seed: int) -> Iterator[tuple]:
        """Yields mini-batches of images, moved a little and mirrored at random.

        Args:
            seed: Seed of their order and of what is done to them.
        """
        x, y = self._training
        rng = np.random.default_rng([seed, 1])
        size = self.experiment["batch_size"]
        for chosen in orders(len(y), size, self.steps, seed):
            yield _moved(x[chosen], rng), y[chosen]

    def evaluate(self, model, which: str, last: bool) -> dict:
        """Returns loss and accuracy.

        Args:
            model: The model.
            which: `"tuning"` or `"comparison"`.
            last: Not used.
        """
        x, y = self._held_out[which]
        logits = np.concatenate(
            [
                model.predict_on_batch(x[first : first + _EVALUATED_AT_ONCE])
                for first in range(0, len(y), _EVALUATED_AT_ONCE)
            ]
        )
        return {
            "loss": float(cross_entropies(logits, y).mean()),
            "accuracy": float(np.mean(logits.argmax(axis=1) == y)),
        }


def _moved(x, rng):
    edge = (_MOVED, _MOVED)
    padded = np.pad(x, ((0, 0), edge, edge, (0, 0)))
    height, width = x.shape[1:3]
    found = np.empty_like(x)
    for number, image in enumerate(padded):
        top, left = rng.integers(0, 2 * _MOVED + 1, 2)
        image = image[top : top + height, left : left + width]
        found[number] = image[:, ::-1] if rng.random() < 0.5 else image
    return found
