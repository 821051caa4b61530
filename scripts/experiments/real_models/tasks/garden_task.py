"""Defines what tasks with a model of TF Model Garden have."""

from collections.abc import Mapping

import numpy as np

from experiments.real_models.tasks.task import Task


class GardenTask(Task):
    """Trains with tf_keras, which Model Garden's layers are of.

    Args:
        experiment: The experiment.
    """

    def __init__(self, experiment: Mapping):
        import tf_keras

        import keras_clip.tf_keras

        super().__init__(experiment)
        self.keras = tf_keras
        self.optimizers = keras_clip.tf_keras

    def train(self, model, batch: tuple) -> float:
        """Takes a step, and returns the loss of its mini-batch.

        Args:
            model: The model.
            batch: The mini-batch.
        """
        return float(np.asarray(model.train_on_batch(*batch)))
