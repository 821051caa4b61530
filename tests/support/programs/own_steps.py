"""Trains by a `train_step` of the model's own, on the environment's backend.

Usage: python -m tests.support.programs.own_steps FILE.json

The file has the averages of `LinearAverage`, the readings of `ClipMonitor` and
the errors of both where they are not given the optimizer.
"""

import json
import pathlib
import sys

from keras_clip import callbacks
from tests.support.front_ends import KERAS
from tests.support.models import data
from tests.support.own_steps import model_with_own_step


def trained():
    """Returns averages and readings of a training."""
    own = KERAS.optimizer("gclip", learning_rate=0.125, clip_threshold=0.5)
    model = model_with_own_step(KERAS, own)
    average = callbacks.LinearAverage(optimizer=own)
    monitor = callbacks.ClipMonitor(interval=2, optimizer=own)
    model.fit(
        *data(),
        batch_size=4,
        epochs=2,
        shuffle=False,
        verbose=0,
        callbacks=[average, monitor],
    )
    return {
        "averages": [value.tolist() for value in average.averages],
        "readings": monitor.readings,
    }


def refused(callback):
    """Returns the error of a callback that is not given the optimizer."""
    optimizers = [KERAS.optimizer("gclip") for _ in range(2)]
    model = model_with_own_step(KERAS, *optimizers)
    try:
        model.fit(*data(), verbose=0, callbacks=[callback])
    except ValueError as error:
        return str(error)
    return None


if __name__ == "__main__":
    result = trained()
    result["refused"] = [
        refused(callbacks.LinearAverage()),
        refused(callbacks.ClipMonitor()),
    ]
    pathlib.Path(sys.argv[1]).write_text(json.dumps(result), "utf-8")
