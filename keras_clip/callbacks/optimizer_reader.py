"""Reads the monitoring variables of the optimizers of a model."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from keras_clip.front_end.front_end import FrontEnd


class Counters(NamedTuple):
    """Stores the counters of an optimizer since it was built."""

    updates: int = 0
    clip_total: float = 0.0
    skipped_steps: int = 0
    skipped_in_a_row: int = 0


class OptimizerReader:
    """Reads an optimizer's monitoring variables.

    Args:
        optimizer: Optimizer of this package, built.
        prefix: String that all names begin with.
        per_layer: Whether to read the numbers of each variable too.

    Attributes:
        names: Names of the numbers of all variables together.
        layer_names: Names of the numbers of each variable.
    """

    def __init__(self, optimizer: FrontEnd, prefix: str, per_layer: bool):
        self._optimizer = optimizer
        self._plain_names = ["gradient_norm", "clip_fraction", "skipped_steps"]
        if optimizer.last_threshold is not None:
            self._plain_names.insert(1, "clip_threshold")
        paths = distinct(optimizer.variable_paths) if per_layer else []
        self.names = [f"{prefix}{name}" for name in self._plain_names]
        self.layer_names = [
            f"{prefix}{name}/{path}"
            for name in ("gradient_norm", "clip_fraction")
            for path in paths
        ]

    def counters(self) -> Counters:
        """Returns the current counters of the optimizer."""
        return counters_of(self._optimizer)

    def read(self, before: Counters, now: Counters) -> dict[str, float]:
        """Returns a number for each name.

        Args:
            before: The counters at the last reading.
            now: The current counters.
        """
        optimizer = self._optimizer
        numbers = {
            "gradient_norm": float(optimizer.gradient_norm.numpy()),
            "clip_threshold": optimizer.last_threshold,
            **_counted(before, now),
        }
        values = [numbers[name] for name in self._plain_names]
        if self.layer_names:
            values += optimizer.gradient_norms.numpy().tolist()
            values += optimizer.clip_fractions.numpy().tolist()
        names = [*self.names, *self.layer_names]
        return dict(zip(names, values, strict=True))

    def mean(
        self, readings: Sequence[dict], before: Counters, now: Counters
    ) -> dict[str, float]:
        """Returns the means of several readings, without single variables.

        Args:
            readings: Readings that `read` has returned; a mean is that of the
                finite numbers, and NaN if none is.
            before: The counters when the interval began.
            now: The counters when it ended.
        """
        counted = _counted(before, now)
        return {
            name: counted[plain]
            if plain in counted
            else _finite_mean([reading[name] for reading in readings])
            for name, plain in zip(self.names, self._plain_names, strict=True)
        }


def counters_of(optimizer: FrontEnd) -> Counters:
    """Returns the counters of an optimizer, zeros before it is built.

    Args:
        optimizer: Optimizer of this package.
    """
    if not is_built(optimizer):
        return Counters()
    return Counters(
        int(optimizer.update_count.numpy()),
        float(optimizer.clip_total.numpy())
        - float(optimizer.clip_total_error.numpy()),
        int(optimizer.skipped_steps.numpy()),
        int(optimizer.skipped_in_a_row.numpy()),
    )


def clipping_optimizers(optimizer) -> list[FrontEnd]:
    """Returns the optimizers of this package that an optimizer is or holds.

    Args:
        optimizer: Optimizer of Keras 3 or of tf_keras, or `None`.
    """
    # A `LossScaleOptimizer` of either framework.
    inner = getattr(optimizer, "inner_optimizer", None)
    if inner is not None:
        return clipping_optimizers(inner)
    # A `MultiOptimizer` of Keras 3.
    several = getattr(optimizer, "optimizers", [optimizer])
    return [each for each in several if isinstance(each, FrontEnd)]


def is_built(optimizer: FrontEnd) -> bool:
    """Returns whether an optimizer of this package has its variables."""
    return hasattr(optimizer, "update_count")


def step_mark(optimizer) -> list:
    """Returns numbers one of which changes at every step, even if left out.

    Args:
        optimizer: Optimizer of Keras 3 or of tf_keras.
    """
    # `iterations` of Keras 3 does not count micro-steps that only accumulate.
    # If the `LossScaleOptimizer` of Keras 3 leaves out a step, only its scale
    # changes (keras/src/optimizers/loss_scale_optimizer.py, 3.15.1).
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    variables = [inner._iterations, getattr(optimizer, "dynamic_scale", None)]
    return [v.numpy().item() for v in variables if v is not None]


def readers_of(
    optimizers: Sequence[FrontEnd], per_layer: bool
) -> list[OptimizerReader]:
    """Returns a reader for each optimizer that is built.

    Args:
        optimizers: Optimizers of this package.
        per_layer: See `OptimizerReader`.

    Returns:
        List of readers; the names of several begin with the optimizer's.
    """
    built = [each for each in optimizers if is_built(each)]
    prefixes = [""]
    if len(built) != 1:
        prefixes = [f"{name}/" for name in distinct([o.name for o in built])]
    return [
        OptimizerReader(optimizer, prefix, per_layer)
        for optimizer, prefix in zip(built, prefixes, strict=True)
    ]


def distinct(names: Sequence[str]) -> list[str]:
    """Returns the names, with `_1` and so on appended to repeated ones.

    Args:
        names: Sequence of strings.
    """
    result = []
    for name in names:
        candidate, number = name, 0
        while candidate in result:
            number += 1
            candidate = f"{name}_{number}"
        result.append(candidate)
    return result


def _counted(before, now):
    """Returns numbers for an interval from the counters at both ends."""
    updates = now.updates - before.updates
    clipped = now.clip_total - before.clip_total
    return {
        "clip_fraction": clipped / updates if updates else math.nan,
        "skipped_steps": now.skipped_steps,
    }


def _finite_mean(values):
    finite = [value for value in values if math.isfinite(value)]
    return sum(finite) / len(finite) if finite else math.nan
