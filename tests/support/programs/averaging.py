"""Writes the linear average of a training, on the environment's backend.

Usage: python -m tests.support.programs.averaging FILE.npz [FRONT_END]

With a front end named, the training is on two replicas.
"""

import contextlib
import sys

import numpy as np

from tests.support.averaged import fit
from tests.support.averaged import make_average
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.models import dense_model


def averages(front_end, scope=None):
    """Trains a model and returns the averages of its variables."""
    average = make_average(front_end)
    with scope or contextlib.nullcontext():
        optimizer = front_end.optimizer("gclip", projection_radius=2.0)
        model = dense_model(front_end, optimizer)
    fit(model, average, epochs=3)
    return average.averages


def main(path, name=None):
    """Writes the averages in the order of the variables."""
    front_end, scope = KERAS, None
    if name is not None:
        from tests.support.programs.replicated import two_replicas

        front_end = {"keras": KERAS, "tf_keras": TF_KERAS}[name]
        scope = two_replicas().scope()
    values = averages(front_end, scope)
    np.savez(path, **{f"{i:02d}": value for i, value in enumerate(values)})


if __name__ == "__main__":
    main(*sys.argv[1:])
