"""Finds out, once per training, if a clipping threshold is far off."""

import math

import numpy as np

from keras_clip.callbacks.optimizer_reader import Counters
from keras_clip.front_end.front_end import FrontEnd
from keras_clip.thresholds import AdaptiveThreshold
from keras_clip.thresholds import Threshold

# An optimizer that clips one update in 200 clips at least one of these with a
# probability of 99 %. A demonstration takes fewer. The end of the first epoch
# is too late for a training of one epoch.
UPDATES = 1000
# The default of `keras_clip.noise.report`.
QUANTILE = 0.9
# The fewest readings for a quantile.
READINGS = 5

_FOLLOWED = {
    "global": "the gradient divided by its norm",
    "layer": "each variable's gradient divided by its norm",
    "coordinate": "the signs of the gradient",
}


class ClipFindings:
    """Finds out if an optimizer counts nothing, or clips nothing or everything.

    It reports nothing if no threshold was chosen or applies alone: for ACClip,
    with `clip_threshold=None`, during a warm-up, and if Keras clips first.

    Args:
        optimizer: Optimizer of this package, built.
        start: Its counters when the training began.
    """

    def __init__(self, optimizer: FrontEnd, start: Counters):
        self._optimizer = optimizer
        self._start = start
        self._forget()
        self._is_over = False

    def look(self, now: Counters) -> str | None:
        """Returns the finding, at most once.

        Args:
            now: The optimizer's counters at a reading.
        """
        optimizer = self._optimizer
        updates = now.updates - self._start.updates
        if self._is_over or not updates:
            return None
        if not optimizer.was_monitored:
            self._is_over = True
            return (
                f"`ClipMonitor` has nothing to read from {optimizer.name}: a "
                "function that is not the model's was traced with its steps "
                "before monitoring. Make the optimizer with `monitor=True`."
            )
        if not _has_threshold(optimizer):
            self._is_over = True
            return None
        threshold = optimizer.last_threshold
        if _is_warming_up(optimizer, threshold, now):
            self._start = now
            self._forget()
            return None
        self._note(threshold)
        if updates < UPDATES:
            return None
        self._is_over = True
        clipped = now.clip_total - self._start.clip_total
        if math.isclose(clipped, updates, rel_tol=1e-6):
            return self._sentence("everything", updates, threshold)
        return (
            None if clipped else self._sentence("nothing", updates, threshold)
        )

    def _forget(self):
        self._norms = []
        self._thresholds = []
        self._layer_norms = []

    def _note(self, threshold):
        """Stores the norms and the threshold of the last step."""
        norm = float(self._optimizer.gradient_norm.numpy())
        if not math.isfinite(norm):
            return
        self._norms.append(norm)
        self._thresholds.append(threshold or math.nan)
        if self._optimizer.step_settings.clipping == "layer":
            norms = self._optimizer.gradient_norms.numpy()
            self._layer_norms.append(norms)

    def _sentence(self, clipped, updates, threshold):
        """Returns the finding, or `None` if there was no gradient to clip."""
        sizes, norms = self._sizes()
        if sizes is None:
            return None
        optimizer = self._optimizer
        now = "" if threshold is None else f", the threshold is {threshold:.4g}"
        change = "lower"
        if clipped == "everything":
            followed = _FOLLOWED[optimizer.step_settings.clipping]
            change = f"it then follows {followed}; raise"
        name, value = _argument_of(optimizer)
        better = self._better(value, norms)
        if better is not None and (better > value) == (change == "lower"):
            better = None
        to = "" if better is None else f" to about {better:.2g}"
        of = "" if value is None else f" of {value:.4g}"
        return (
            f"{optimizer.name} has clipped {clipped} in {updates:,} updates: "
            f"{sizes}{now}: {change} {name}{of}{to}. "
            "`keras_clip.noise.report` suggests thresholds, and so does the "
            "callback `GradientNoise` during training"
            + (
                ": those are for norms."
                if optimizer.step_settings.clipping == "coordinate"
                else "."
            )
        )

    def _sizes(self):
        """Returns the sizes of the gradients, in words and in numbers.

        Returns:
            Tuple of a string and of an array of norms with a row for each
            reading, or of `None` twice if all norms were 0.
        """
        optimizer = self._optimizer
        middle = float(np.median(self._norms)) if self._norms else 0.0
        if not middle:
            return None, None
        if optimizer.step_settings.clipping == "global":
            return (
                f"gradient norms were about {middle:.2g}",
                np.array(self._norms)[:, None],
            )
        if optimizer.step_settings.clipping == "coordinate":
            root = math.sqrt(optimizer.coordinate_count)
            return (
                "the threshold is compared with single coordinates, whose root "
                f"mean square was about {middle / root:.2g}",
                np.array(self._norms)[:, None] / root,
            )
        norms = np.array(self._layer_norms)
        norms = np.where(np.isfinite(norms) & (norms > 0), norms, np.nan)
        if np.isnan(norms).all():
            return None, None
        return (
            "norms of the variables' gradients were about "
            f"{np.nanmedian(norms):.2g}",
            norms,
        )

    def _better(self, value, norms):
        """Returns a number that would clip one in ten, or `None`."""
        if value is None or len(norms) < READINGS:
            return None
        level = float(np.nanquantile(norms, QUANTILE))
        schedule = self._optimizer.clip_threshold
        if isinstance(schedule, AdaptiveThreshold):
            if self._optimizer.step_settings.clipping == "coordinate":
                return None
            # The multiplier is relative to the mean norm, of each variable with
            # layer clipping.
            kept = norms
            if schedule.of == "clipped":
                kept = np.minimum(norms, level)
            multiples = norms / np.nanmean(kept, axis=0)
            better = float(np.nanquantile(multiples, QUANTILE))
            return better if schedule.of == "raw" or better > 1 else None
        thresholds = np.array(self._thresholds)[:, None]
        if isinstance(schedule, Threshold):
            # The threshold may change, so that the number is scaled by it.
            better = value * float(np.nanquantile(norms / thresholds, QUANTILE))
            return better if math.isfinite(better) else None
        return level


def _has_threshold(optimizer):
    """Returns whether an optimizer clips at a threshold of its argument."""
    by_keras = (
        optimizer.clipnorm or optimizer.clipvalue or optimizer.global_clipnorm
    )
    return (
        not by_keras
        and optimizer.step_settings.clipping is not None
        and optimizer.clip_threshold is not None
    )


def _is_warming_up(optimizer, threshold, now):
    """Returns whether the threshold is still in its warm-up."""
    if threshold is not None:
        return not math.isfinite(threshold)
    # There is a threshold for each variable.
    schedule = optimizer.clip_threshold
    if not isinstance(schedule, AdaptiveThreshold):
        return False
    return schedule.of == "clipped" and now.updates <= schedule.warmup_steps


def _argument_of(optimizer):
    """Returns the argument to change and its value, `None` if not a number."""
    threshold = optimizer.clip_threshold
    if isinstance(threshold, AdaptiveThreshold):
        name, value = "the threshold's `multiplier`", threshold.scale
    elif isinstance(threshold, Threshold):
        name, value = "the threshold's `scale`", threshold.scale
    else:
        name, value = "`clip_threshold`", threshold
    return name, value if isinstance(value, float) else None
