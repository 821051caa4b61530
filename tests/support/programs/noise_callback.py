"""Trains with and without reports on the noise.

Usage: python -m tests.support.programs.noise_callback WEIGHTS.npz
"""

import sys

import numpy as np

from keras_clip.callbacks import GradientNoise
from tests.support.front_ends import KERAS
from tests.support.models import data
from tests.support.models import dense_model


def train(callbacks):
    """Returns the weights after three epochs."""
    model = dense_model(KERAS, KERAS.optimizer("clip_adam"))
    model.fit(
        *data(),
        batch_size=8,
        epochs=3,
        shuffle=False,
        verbose=0,
        callbacks=callbacks,
    )
    return model.get_weights()


if __name__ == "__main__":
    callback = GradientNoise(*data(), batch_size=4, num_samples=60, verbose=0)
    arrays = {f"with-{i}": w for i, w in enumerate(train([callback]))}
    arrays |= {f"without-{i}": w for i, w in enumerate(train([]))}
    np.savez(sys.argv[1], reports=len(callback.reports), **arrays)
