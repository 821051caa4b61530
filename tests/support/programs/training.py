"""Trains, saves and goes on, on the backend that the environment names.

For each enrolled optimizer, `FOLDER/NAME.npz` holds the losses of a training,
for `KINDS` also everything after more of it as `whole_0`, `whole_1`, …, and
after training that was resumed in one of `WAYS` as `WAY_0`, ….
"""

import keras
import numpy as np

from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.models import data
from tests.support.models import dense_model
from tests.support.models import everything
from tests.support.shared_code import KINDS


def fit(model, epochs):
    """Trains without shuffling and returns the losses."""
    history = model.fit(
        *data(), batch_size=8, epochs=epochs, shuffle=False, verbose=0
    )
    return history.history["loss"]


def through_keras_file(model, make, folder):
    """Returns the model as loaded from a `.keras` file."""
    model.save(folder / "model.keras")
    return keras.models.load_model(folder / "model.keras")


def through_weights_file(model, make, folder):
    """Returns a new model with the weights from a `.weights.h5` file."""
    model.save_weights(folder / "model.weights.h5")
    loaded = make()
    loaded.optimizer.build(loaded.trainable_variables)
    loaded.load_weights(folder / "model.weights.h5")
    return loaded


WAYS = {"keras": through_keras_file, "weights": through_weights_file}


def main(folder):
    """Trains every enrolled optimizer and resumes `KINDS` in every way."""
    folder.mkdir()
    for name, enrolment in ENROLMENTS.items():

        def make(name=name, rate=enrolment.training_rate):
            # Without averages, with which Keras 3.15 fails in a second `fit`.
            optimizer = KERAS.optimizer(name, learning_rate=rate, monitor=True)
            return dense_model(KERAS, optimizer)

        whole = make()
        losses = fit(whole, 3)
        ends = {}
        if name in KINDS:
            ends["whole"] = whole
            for way, through in WAYS.items():
                ends[way] = through(whole, make, folder)
            for model in ends.values():
                fit(model, 2)
        arrays = {
            f"{kind}_{index}": value
            for kind, model in ends.items()
            for index, value in enumerate(everything(KERAS, model))
        }
        np.savez(folder / f"{name}.npz", losses=losses, **arrays)
