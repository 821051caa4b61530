"""Makes a run: trains one model with one optimizer, and measures it."""

import math
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping

import numpy as np

from command_line import InputError
from experiments.machine import machine
from experiments.real_models import finished
from experiments.real_models.run_key import RunKey

# Points of the curve of the training loss, each the mean of as many steps.
POINTS = 60
# A spike is a loss that is above the mean of so many steps before it by so many
# of their standard deviations.
SPIKE_WINDOW = 50
SPIKE_DEVIATIONS = 4.0
# So many losses in a row that are not finite are a divergence.
PATIENCE = 10

_PACKAGES = ("keras", "keras-hub", "tf-keras", "tensorflow", "jax", "numpy")


def begin(experiment: Mapping, key: RunKey, task) -> tuple:
    """Returns the compiled model of a run, and its optimizer.

    Args:
        experiment: The experiment.
        key: The run.
        task: Its task.

    Raises:
        InputError: If the data do not fill a mini-batch.
    """
    if not task.steps:
        raise InputError(
            f"the data of `{experiment['name']}` must fill a mini-batch of "
            f"{experiment['batch_size']}"
        )
    keras = task.keras
    keras.backend.clear_session()
    arm = experiment["arms"][key.arm]
    keras.utils.set_random_seed(key.seed + arm.get("other_seed", 0))
    model = task.model(key.seed)
    optimizer = task.optimizer(arm, key)
    # Slots exist before the first step, which is then traced once.
    optimizer.build(model.trainable_variables)
    model.compile(optimizer=optimizer, loss=task.loss())
    return model, optimizer


def losses_of(
    experiment: Mapping, key: RunKey, task, model, optimizer
) -> Iterator[float]:
    """Yields the training loss of each step, after the step.

    Args:
        experiment: The experiment.
        key: The run.
        task: Its task.
        model: Its model.
        optimizer: Its optimizer.
    """
    for step, batch in enumerate(task.batches(key.seed), start=1):
        share = schedule(step, task.steps, experiment["warmup"])
        optimizer.learning_rate = key.learning_rate * share
        yield task.train(model, batch)


def make(
    experiment: Mapping,
    key: RunKey,
    task,
    report: Callable[[str], None],
) -> dict:
    """Returns what comes of a run.

    Args:
        experiment: The experiment.
        key: The run.
        task: Its task.
        report: Callable that prints a line.

    Raises:
        InputError: If the data do not fill a mini-batch.
    """
    start = time.perf_counter()
    model, optimizer = begin(experiment, key, task)
    which = "tuning" if key.is_tuning else "comparison"
    stops = _stops(task.steps, experiment["evaluations"])
    losses, norms, held_out, bad, evaluated = [], [], [], 0, 0.0
    began = time.perf_counter()
    for loss in losses_of(experiment, key, task, model, optimizer):
        losses.append(loss)
        norms.append(_norm(optimizer))
        step = len(losses)
        bad = 0 if math.isfinite(loss) else bad + 1
        if bad == PATIENCE:
            break
        if step in stops:
            stopped = time.perf_counter()
            metrics = task.evaluate(model, which, step == task.steps)
            evaluated += time.perf_counter() - stopped
            held_out.append({"step": step, **metrics})
            report(
                f"{key.arm} {key.learning_rate:g} seed {key.seed}: step "
                f"{step:,} of {task.steps:,}, "
                + ", ".join(f"{k} {v:.4f}" for k, v in _scalars(metrics))
            )
    trained = time.perf_counter() - began - evaluated
    metrics = held_out.pop() if bad < PATIENCE else {}
    metrics.pop("step", None)
    if metrics and key.seed == experiment.get("whole_for_seed"):
        whole = task.evaluate(model, "whole", True)
        metrics |= {f"whole_{name}": value for name, value in whole.items()}
    diverged = not metrics or not math.isfinite(metrics[experiment["measure"]])
    return {
        "experiment": key.experiment,
        "arm": key.arm,
        "learning_rate": key.learning_rate,
        "seed": key.seed,
        "settings": finished.settings(experiment, key.arm),
        "optimizer": _config(optimizer),
        "measured_on": which,
        "diverged": diverged,
        "metrics": metrics,
        "held_out": [dict(_scalars(found)) for found in held_out],
        "training_loss": _curve(losses),
        "spikes": spikes(losses),
        "clipped": _clipped(optimizer),
        "gradient_norms": _quantiles(norms),
        "parameters": int(model.count_params()),
        "steps": len(losses),
        "seconds": {
            "training": round(trained, 1),
            "all": round(time.perf_counter() - start, 1),
        },
        "machine": {
            "backend": task.keras.backend.backend(),
            **machine(_PACKAGES),
        },
    }


def schedule(step: int, steps: int, warmup: float) -> float:
    """Returns the share of the learning rate at a step.

    It rises linearly from 0 over a share of the steps, and falls linearly to 0,
    which it would reach after the last step.

    Args:
        step: Number of the step, from 1.
        steps: Number of all steps.
        warmup: The share of them in which it rises.
    """
    rising = round(warmup * steps)
    if step <= rising:
        return step / rising
    return (steps + 1 - step) / (steps + 1 - rising)


def spikes(losses: list[float]) -> int:
    """Returns how often the training loss jumps.

    Args:
        losses: The loss of each step.
    """
    losses = np.asarray(losses)
    found = 0
    for step in range(SPIKE_WINDOW, len(losses)):
        before = losses[step - SPIKE_WINDOW : step]
        bound = before.mean() + SPIKE_DEVIATIONS * before.std()
        found += not losses[step] <= bound
    return found


def _config(optimizer):
    """Returns all arguments of an optimizer, those by default too."""
    config = optimizer.get_config()
    del config["learning_rate"]
    return config


def _stops(steps, evaluations):
    """Returns the steps after which held-out data are evaluated."""
    return {round(steps * i / evaluations) for i in range(1, evaluations + 1)}


def _curve(losses):
    """Returns the last step of each part of the training, and its mean loss."""
    parts = np.array_split(np.asarray(losses, "float64"), POINTS)
    parts = [part for part in parts if len(part)]
    return {
        "step": np.cumsum([len(part) for part in parts]).tolist(),
        "loss": [float(f"{part.mean():.5g}") for part in parts],
    }


def _clipped(optimizer):
    """Returns the share of updates, or of coordinates, that were clipped."""
    if not hasattr(optimizer, "clip_total"):
        return None
    updates = max(int(optimizer.update_count.numpy()), 1)
    share = float(optimizer.clip_total.numpy()) / updates
    return float(f"{share:.4g}")


def _norm(optimizer):
    """Returns the norm of the last gradient before clipping, if known."""
    if not hasattr(optimizer, "gradient_norm"):
        return math.nan
    return float(optimizer.gradient_norm.numpy())


def _quantiles(norms):
    """Returns quantiles of those norms that are known and finite."""
    norms = np.array(norms)[np.isfinite(norms)]
    if not len(norms):
        return None
    shares = (0.1, 0.5, 0.9, 0.99, 1.0)
    found = np.quantile(norms, shares)
    return {
        f"{share:g}": float(f"{norm:.4g}")
        for share, norm in zip(shares, found, strict=True)
    }


def _scalars(metrics):
    return [(k, v) for k, v in metrics.items() if not isinstance(v, list)]
