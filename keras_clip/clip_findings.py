"""What is wrong with how an optimizer clips, said once a training."""

import math

import numpy as np

from keras_clip.front_end import FrontEnd
from keras_clip.readings import Counters
from keras_clip.thresholds import AdaptiveThreshold
from keras_clip.thresholds import Threshold

# Who clips one update in 200 clips one of these with a chance of 99 %. A
# demonstration makes fewer. The end of the first epoch would come too late
# where there is but one.
UPDATES = 1000
# As `keras_clip.noise.report` has it by default.
QUANTILE = 0.9

_FOLLOWED = {
    "global": "the gradient divided by its norm",
    "layer": "each variable's gradient divided by its norm",
    "coordinate": "the signs of the gradient",
}


class ClipFindings:
    """Finds that an optimizer counts nothing, or clips nothing or everything.

    It is silent where that is no choice of a threshold: with ACClip, which
    finds its own, with `clip_threshold=None`, in a warm-up, and where Keras'
    own clipping comes before.

    Args:
        optimizer: Optimizer of this package, built.
        start: Its counters when the training began.
    """

    def __init__(self, optimizer: FrontEnd, start: Counters):
        self._optimizer = optimizer
        self._start = start
        self._norms = []
        self._ratios = []
        self._is_over = False

    def look(self, now: Counters) -> str | None:
        """Returns what there is to say, at most once.

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
                f"`ClipMonitor` has nothing to read of {optimizer.name}: a "
                "function that is not the model's was traced with a step of it "
                "without monitoring. Make the optimizer with `monitor=True`."
            )
        if not _has_threshold(optimizer):
            self._is_over = True
            return None
        threshold = optimizer.last_threshold
        if _is_warming_up(optimizer, threshold, now):
            self._start = now
            self._norms, self._ratios = [], []
            return None
        norm = float(optimizer.gradient_norm.numpy())
        if math.isfinite(norm):
            self._norms.append(norm)
            self._ratios.append(norm / (threshold or math.nan))
        if updates < UPDATES:
            return None
        self._is_over = True
        clipped = now.clip_total - self._start.clip_total
        if math.isclose(clipped, updates, rel_tol=1e-6):
            return self._sentence("everything", updates, threshold)
        return (
            None if clipped else self._sentence("nothing", updates, threshold)
        )

    def _sentence(self, clipped, updates, threshold):
        """Returns the finding, or `None` if there was no gradient to clip."""
        sizes, ratio = self._sizes(threshold)
        if sizes is None:
            return None
        optimizer = self._optimizer
        now = "" if threshold is None else f", the threshold is {threshold:.4g}"
        by_coordinate = optimizer.rule.clipping == "coordinate"
        limit = ": those are for norms" if by_coordinate else ""
        change = "lower"
        if clipped == "everything":
            followed = _FOLLOWED[optimizer.rule.clipping]
            change = f"it then follows {followed}; raise"
        return (
            f"{optimizer.name} has clipped {clipped} in {updates:,} updates: "
            f"{sizes}{now}: {change} {_number_to_choose(optimizer, ratio)}. "
            "`keras_clip.noise.report` suggests thresholds, and so does the "
            f"callback `GradientNoise` during training{limit}."
        )

    def _sizes(self, threshold):
        """Returns how large gradients were, and what to scale a threshold by.

        Args:
            threshold: The number that the last update clipped at, or `None`.

        Returns:
            Tuple of a string, `None` if all of them were 0, and of a number,
            NaN where none is known.
        """
        optimizer = self._optimizer
        middle = float(np.median(self._norms)) if self._norms else 0.0
        if not middle:
            return None, math.nan
        if optimizer.rule.clipping == "global":
            ratio = float(np.quantile(self._ratios, QUANTILE))
            return f"gradient norms were about {middle:.2g}", ratio
        if optimizer.rule.clipping == "coordinate":
            size = middle / math.sqrt(optimizer.coordinate_count)
            return (
                "the threshold is compared with single coordinates, whose root "
                f"mean square was about {size:.2g}"
            ), size / (threshold or math.nan)
        norms = optimizer.gradient_norms.numpy()
        norms = norms[np.isfinite(norms) & (norms > 0)]
        if not norms.size:
            return None, math.nan
        ratio = float(np.quantile(norms, QUANTILE)) / (threshold or math.nan)
        return (
            "norms of the variables' gradients were about "
            f"{np.median(norms):.2g}"
        ), ratio


def _has_threshold(optimizer):
    """Returns whether an optimizer clips at a threshold that was chosen."""
    by_keras = (
        optimizer.clipnorm or optimizer.clipvalue or optimizer.global_clipnorm
    )
    return (
        not by_keras
        and optimizer.rule.clipping is not None
        and optimizer.clip_threshold is not None
    )


def _is_warming_up(optimizer, threshold, now):
    """Returns whether nothing is to be clipped yet.

    Args:
        optimizer: The optimizer.
        threshold: The number that the last update clipped at, or `None`.
        now: The optimizer's counters.
    """
    if threshold is not None:
        return not math.isfinite(threshold)
    # Of a threshold for each variable.
    schedule = optimizer.clip_threshold
    is_adaptive = isinstance(schedule, AdaptiveThreshold)
    return (
        is_adaptive
        and schedule.of == "clipped"
        and now.updates <= schedule.warmup_steps
    )


def _number_to_choose(optimizer, ratio):
    """Returns the argument to change and, if it is known, to what.

    Args:
        optimizer: The optimizer.
        ratio: What to scale it by, or NaN.
    """
    threshold = optimizer.clip_threshold
    if isinstance(threshold, AdaptiveThreshold):
        name, value = "the threshold's `multiplier`", threshold.scale
    elif isinstance(threshold, Threshold):
        name, value = "the threshold's `scale`", threshold.scale
    else:
        name, value = "`clip_threshold`", threshold
    if not isinstance(value, float):
        return name
    better = value * ratio
    above = getattr(threshold, "of", "raw") == "clipped"
    if not math.isfinite(better) or (above and better <= 1):
        return f"{name} of {value:.4g}"
    return f"{name} of {value:.4g} to about {better:.2g}"
