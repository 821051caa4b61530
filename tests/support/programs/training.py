"""Trains, saves and goes on, on the backend that the environment names."""

import pathlib
import tempfile

from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.models import dense_model
from tests.support.models import everything
from tests.support.models import fit
from tests.support.saving import through_keras_file
from tests.support.saving import through_weights_file
from tests.support.shared_code import KINDS

WAYS = {"keras": through_keras_file, "weights": through_weights_file}


def _trained(name, folder):
    """Returns losses, and everything after more training, resumed or not."""
    rate = ENROLMENTS[name].training_rate

    def make():
        # Without averages, with which Keras 3.15 fails in a second `fit`.
        optimizer = KERAS.optimizer(name, learning_rate=rate, monitor=True)
        return dense_model(KERAS, optimizer)

    whole = make()
    result, ends = {"losses": fit(whole, epochs=3)["loss"]}, {"whole": whole}
    for way, through in WAYS.items():
        ends[way] = through(KERAS, whole, make, folder)
    for way, model in ends.items():
        fit(model, epochs=2)
        result[way] = everything(KERAS, model)
    return result


def main():
    """Trains two kinds of optimizers, and resumes in every way."""
    with tempfile.TemporaryDirectory() as folder:
        return {name: _trained(name, pathlib.Path(folder)) for name in KINDS}
