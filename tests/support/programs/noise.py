"""Samples the noise of a model whose weights no backend chooses.

Usage: python -m tests.support.programs.noise SAMPLES.json
"""

import sys

import keras
import numpy as np

from keras_clip import noise


def samples():
    """Returns samples of a model with a hidden layer."""
    rng = np.random.default_rng(0)
    model = keras.Sequential(
        [
            keras.layers.Input((3,)),
            keras.layers.Dense(4, "tanh"),
            keras.layers.Dense(2),
        ]
    )
    model.set_weights([rng.normal(size=w.shape) for w in model.weights])
    model.compile(optimizer="sgd", loss="mse")
    x = rng.normal(size=(90, 3)).astype("float32")
    y = rng.standard_t(2, size=(90, 2)).astype("float32")
    return noise.sample(
        model,
        x,
        y,
        batch_size=8,
        num_samples=40,
        per_layer=True,
        verbose=0,
    )


if __name__ == "__main__":
    samples().save(sys.argv[1])
