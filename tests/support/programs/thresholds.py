"""Changes a clipping threshold in the middle of `fit`, on any backend.

Usage: python -m tests.support.programs.thresholds FILE.npz

For each case, `CASE/called_0`, … hold everything after a `fit` with a callback
that changes the threshold, `CASE/by_hand_0`, … after two calls of `fit` with
the change between them, and `CASE/unchanged_0`, … without it.
"""

import sys

import numpy as np

from tests.support.enrolment.record import Adaptive
from tests.support.enrolment.record import Polynomial
from tests.support.front_ends import KERAS
from tests.support.models import data
from tests.support.models import dense_model
from tests.support.models import everything

# The optimizer, its first threshold and its second.
CASES = {
    "number": ("gclip", 8.0, 0.0625),
    "adaptive": (
        "clip_adagrad_norm",
        Adaptive(2.0, 0.5, 1.0),
        Adaptive(0.25, 0.75, 1.5),
    ),
}


def as_argument(threshold):
    """Returns what `clip_threshold` is set to."""
    schedules = (Polynomial, Adaptive)
    return (
        threshold.threshold() if isinstance(threshold, schedules) else threshold
    )


def fit(model, framework, epochs, change=None):
    """Trains, and calls `change` before the last two epochs."""

    def on_epoch_begin(epoch, logs=None):
        if change is not None and epoch == epochs - 2:
            change()

    callback = framework.callbacks.LambdaCallback(on_epoch_begin=on_epoch_begin)
    model.fit(
        *data(),
        batch_size=16,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=[callback],
    )


def ends(front_end, case):
    """Returns everything after each of the three ways, by name."""
    name, first, second = CASES[case]
    result = {}
    for way in ("called", "by_hand", "unchanged"):
        optimizer = front_end.optimizer(
            name, learning_rate=0.125, clip_threshold=first
        )
        model = dense_model(front_end, optimizer)

        def change(optimizer=optimizer):
            optimizer.clip_threshold = as_argument(second)

        if way == "called":
            fit(model, front_end.framework, 4, change)
        elif way == "by_hand":
            fit(model, front_end.framework, 2)
            change()
            fit(model, front_end.framework, 2)
        else:
            fit(model, front_end.framework, 4)
        result[way] = everything(front_end, model)
    return result


def main(file):
    """Writes the ends of every case."""
    np.savez(
        file,
        **{
            f"{case}/{way}_{index}": value
            for case in CASES
            for way, values in ends(KERAS, case).items()
            for index, value in enumerate(values)
        },
    )


if __name__ == "__main__":
    main(sys.argv[1])
