"""Samples the noise of a model with dropout in float16.

Usage: python -m tests.support.programs.noise_float16 DIRECTORY

The samples are small.json, with a loss scale at which nothing overflows, and
large.json, with one at which most mini-batches do.
"""

import pathlib
import sys

import keras
import numpy as np

from keras_clip import noise


def samples(scale):
    """Returns samples whose targets have heavy tails."""
    rng = np.random.default_rng(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((3,), dtype="float32"),
            layers.Dense(8, "tanh", dtype="mixed_float16"),
            layers.Dropout(0.5, seed=1, dtype="mixed_float16"),
            layers.Dense(2, dtype="mixed_float16"),
        ]
    )
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    optimizer = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(), initial_scale=scale
    )
    model.compile(optimizer=optimizer, loss="mse")
    x = rng.normal(size=(400, 3)).astype("float32")
    y = 100 * rng.standard_t(1.5, size=(400, 2)).astype("float32")
    return noise.sample(model, x, y, batch_size=4, num_samples=100, verbose=0)


if __name__ == "__main__":
    for name, scale in (("small", 2.0**-7), ("large", 2.0**15)):
        samples(scale).save(pathlib.Path(sys.argv[1], f"{name}.json"))
