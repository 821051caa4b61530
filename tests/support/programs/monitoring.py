"""Writes what ClipMonitor reads, on the environment's backend.

Usage: python -m tests.support.programs.monitoring FOLDER [FRONT_END]

`FOLDER/readings.json` are the readings and the history of a training,
`FOLDER/events` TensorBoard's file of them, and in `FOLDER/switched.json` is how
trainings go of an optimizer that was made without monitoring. With a front end
named, the trainings are on two replicas.
"""

import contextlib
import importlib
import json
import pathlib
import sys

import numpy as np

from tests.support.enrolment.record import Adaptive
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.models import data
from tests.support.models import dense_model


def monitored(front_end, log_dir, scope=contextlib.nullcontext):
    """Returns the readings of a training, and what is in its history."""
    monitor = monitor_class(front_end)(
        interval=3, per_layer=True, log_dir=log_dir
    )
    with scope():
        optimizer = front_end.optimizer(
            "gclip",
            learning_rate=0.125,
            clip_threshold=Adaptive(0.75, 0.75, 1.0),
        )
        model = dense_model(front_end, optimizer)
    x, targets = data()
    x[8:12] = float("inf")
    logs = model.fit(
        x,
        targets,
        batch_size=4,
        epochs=2,
        shuffle=False,
        verbose=0,
        callbacks=[monitor],
    ).history
    logs = {name: values for name, values in logs.items() if name != "loss"}
    return {"readings": monitor.readings, "history": logs}


def switched_on(
    front_end,
    optimizer,
    scope=contextlib.nullcontext,
    compared=True,
    **arguments,
):
    """Trains a model four times, the second and third with a monitor.

    Args:
        front_end: Front end.
        optimizer: Callable that returns an optimizer to compile with.
        scope: Callable that returns a context to make a model in.
        compared: Whether to train one without a monitor too.
        **arguments: What to compile the models with.

    Returns:
        Dict of the readings, the number of times that `train_step` was run or
        traced in each training, and whether the weights are bitwise those of a
        model that is trained without monitor, if that is compared.
    """
    plain, watched = [], []
    # As the traceback of a training that was interrupted holds one.
    functions = []
    kinds = [(watched, [0, 1, 1, 0])]
    if compared:
        kinds.append((plain, [0, 0, 0, 0]))
    for runs, monitors in kinds:
        traces = []

        class Counted(front_end.framework.Sequential):
            def train_step(self, *batch, traces=traces):
                traces.append(batch)
                return super().train_step(*batch)

        with scope():
            like = dense_model(front_end, "sgd")
            inputs = front_end.framework.layers.Input((3,))
            model = Counted([inputs, *like.layers], name="model")
            model.compile(optimizer=optimizer(), loss="mse", **arguments)
        for is_watched in monitors:
            monitor = monitor_class(front_end)(interval=4)
            traces.clear()
            functions.append(model.train_function)
            model.fit(
                *data(),
                batch_size=4,
                shuffle=False,
                verbose=0,
                callbacks=[monitor] if is_watched else [],
            )
            runs.append((model.get_weights(), len(traces), monitor.readings))
    return {
        "readings": [readings for _, _, readings in watched],
        "traces": [traces for _, traces, _ in watched],
        "same": [
            all(map(np.array_equal, a, b))
            for (a, _, _), (b, _, _) in zip(plain, watched, strict=False)
        ],
    }


def monitor_class(front_end):
    package = {KERAS: "keras_clip", TF_KERAS: "keras_clip.tf_keras"}[front_end]
    return importlib.import_module(f"{package}.callbacks").ClipMonitor


def main(folder, name=None):
    """Writes the readings and says whether TensorFlow was needed."""
    folder = pathlib.Path(folder)
    front_end, scope = KERAS, contextlib.nullcontext
    if name is not None:
        from tests.support.programs.replicated import two_replicas

        front_end = {"keras": KERAS, "tf_keras": TF_KERAS}[name]
        scope = two_replicas().scope
    result = monitored(front_end, folder / "events", scope)
    (folder / "readings.json").write_text(json.dumps(result), "utf-8")
    result = switched_on(
        front_end, lambda: front_end.optimizer("acclip"), scope
    )
    (folder / "switched.json").write_text(json.dumps(result), "utf-8")
    print("tensorflow" in sys.modules)


if __name__ == "__main__":
    main(*sys.argv[1:])
