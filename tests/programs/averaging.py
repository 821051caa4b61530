"""Writes the linear average of a training, on the environment's backend.

Usage: python -m tests.programs.averaging FILE.npz
"""

import sys

import numpy as np

from keras_clip import callbacks
from tests.front_ends import KERAS
from tests.models import data
from tests.models import dense_model


def averages():
    """Trains a model and returns the averages of its variables."""
    average = callbacks.LinearAverage()
    model = dense_model(KERAS, KERAS.optimizer("gclip", projection_radius=2.0))
    model.fit(
        *data(),
        batch_size=8,
        epochs=3,
        shuffle=False,
        verbose=0,
        callbacks=[average],
    )
    return average.averages


def main(path):
    """Writes the averages in the order of the variables."""
    values = averages()
    np.savez(path, **{f"{i:02d}": value for i, value in enumerate(values)})


if __name__ == "__main__":
    main(sys.argv[1])
