"""Samples the noise of models whose weights no backend chooses."""

import keras
import numpy as np

from tests.support.front_ends import KERAS
from tests.support.noise_problems import sample


def samples():
    """Returns samples of a model with a hidden layer."""
    rng = np.random.default_rng(0)
    model = _model(rng, keras.layers.Dense(4, "tanh"), keras.layers.Dense(2))
    model.compile(optimizer="sgd", loss="mse")
    x = rng.normal(size=(90, 3)).astype("float32")
    y = rng.standard_t(2, size=(90, 2)).astype("float32")
    options = {"batch_size": 8, "num_samples": 40, "per_layer": True}
    return sample(model, x, y, **options)


def samples_in_float16(scales):
    """Returns samples of a model with dropout, for each scale of the loss."""
    layers, found = keras.layers, []
    for scale in scales:
        rng = np.random.default_rng(0)
        model = _model(
            rng,
            layers.Dense(8, "tanh", dtype="mixed_float16"),
            layers.Dropout(0.5, seed=1, dtype="mixed_float16"),
            layers.Dense(2, dtype="mixed_float16"),
        )
        optimizer = KERAS.scaled(keras.optimizers.SGD(), scale)
        model.compile(optimizer=optimizer, loss="mse")
        x = rng.normal(size=(400, 3)).astype("float32")
        y = 100 * rng.standard_t(1.5, size=(400, 2)).astype("float32")
        found.append(sample(model, x, y, batch_size=4, num_samples=100))
    return found


def _model(rng, *layers):
    inputs = keras.layers.Input((3,), dtype="float32")
    model = keras.Sequential([inputs, *layers])
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model
