"""Trains with the callbacks, on the environment's backend or on replicas."""

import contextlib
import sys

import keras
import numpy as np

from tests.support.averaged import make_average
from tests.support.enrolment.record import Adaptive
from tests.support.models import data
from tests.support.models import dense_model
from tests.support.models import fit
from tests.support.monitored import gclip
from tests.support.monitored import make_monitor
from tests.support.own_steps import model_with_own_step
from tests.support.own_steps import remade


def monitored(front_end, log_dir, scope):
    """Returns the readings of a training, and its history but for the loss."""
    monitor = make_monitor(
        front_end, interval=3, per_layer=True, log_dir=log_dir
    )
    threshold = Adaptive(0.75, 0.75, 1.0)
    with scope():
        optimizer = gclip(front_end, clip_threshold=threshold)
        model = dense_model(front_end, optimizer)
    x, targets = data()
    x[8:12] = np.inf
    logs = fit(model, monitor, on=(x, targets), batch_size=4, epochs=2)
    del logs["loss"]
    return monitor.readings, logs


def trainings(
    front_end, make, monitors, scope=contextlib.nullcontext, **arguments
):
    """Trains a model again and again, with a monitor and without.

    Args:
        front_end: Front end.
        make: Callable that returns an optimizer to compile with.
        monitors: For each training whether it has a monitor.
        scope: Callable that returns a context to make the model in.
        **arguments: What to compile the model with.

    Returns:
        For each training a dict of weights, readings, and the number of times
        that `train_step` was run or traced.
    """
    traces, results = [], []
    # As the traceback of a training that was interrupted holds one.
    functions = []

    class Counted(front_end.framework.Sequential):
        def train_step(self, *batch):
            traces.append(batch)
            return super().train_step(*batch)

    with scope():
        model = remade(front_end, Counted, make(), **arguments)
    for is_watched in monitors:
        monitor = make_monitor(front_end, interval=4)
        traces.clear()
        functions.append(model.train_function)
        fit(model, *([monitor] if is_watched else []), batch_size=4)
        results.append(
            {
                "weights": model.get_weights(),
                "readings": monitor.readings,
                "traces": len(traces),
            }
        )
    return results


def switched_on(front_end, make, *scope, **arguments):
    """Returns four trainings, with a monitor in two of them, and in none."""
    return [
        trainings(front_end, make, monitors, *scope, **arguments)
        for monitors in ((False, True, True, False), 4 * [False])
    ]


def averages(front_end, scope):
    """Trains a model and returns the averages of its variables."""
    average = make_average(front_end)
    with scope():
        optimizer = front_end.optimizer("gclip", projection_radius=2.0)
        model = dense_model(front_end, optimizer)
    fit(model, average, epochs=3)
    return average.averages


def own_steps(front_end):
    """Trains by a `train_step` of the model's own, with its optimizer given."""
    own = gclip(front_end)
    average = make_average(front_end, optimizer=own)
    monitor = make_monitor(front_end, interval=2, optimizer=own)
    model = model_with_own_step(front_end, own)
    fit(model, average, monitor, batch_size=4, epochs=2)
    return monitor.readings, average.averages


def error_of(front_end, callback):
    """Returns the error of a callback that is not given the optimizer."""
    optimizers = [front_end.optimizer("gclip") for _ in range(2)]
    try:
        fit(model_with_own_step(front_end, *optimizers), callback)
    except ValueError as error:
        return str(error)
    return None


def trained(front_end, log_dir, is_replicated):
    """Returns all of it by name, and what it ran on."""
    scope = contextlib.nullcontext
    result = {}
    if is_replicated:
        from tests.support.programs.replicated import two_replicas

        scope = two_replicas().scope
    else:
        result["own steps"] = own_steps(front_end)
        result["refused"] = [
            error_of(front_end, make(front_end))
            for make in (make_average, make_monitor)
        ]
    return {
        "monitored": monitored(front_end, log_dir, scope),
        "switched on": switched_on(
            front_end, lambda: front_end.optimizer("acclip"), scope
        ),
        "averages": averages(front_end, scope),
        "backend": keras.backend.backend(),
        "needs TensorFlow": "tensorflow" in sys.modules,
        **result,
    }
