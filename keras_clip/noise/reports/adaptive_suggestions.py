"""Suggests adaptive thresholds from samples of the gradient noise."""

import math

import numpy as np

from keras_clip.noise.reports.early import quantile_of
from keras_clip.noise.reports.early import with_missing
from keras_clip.noise.reports.suggestion import Suggestion
from keras_clip.noise.sampling.noise_samples import NoiseSamples
from keras_clip.thresholds import AdaptiveThreshold

_CLIPPED = (
    "A multiple of the recent mean of {}, as they are once clipped, which a "
    "single far too large one hardly moves: {}."
)
_RAW = (
    "A multiple of the recent mean of {}, which follows at once where they "
    "have grown, single ones too: {}."
)


def adaptive(
    samples: NoiseSamples, quantile: float, early: bool
) -> list[Suggestion]:
    """Returns thresholds that are multiples of the mean gradient norm.

    With a constant threshold Q the mean of the clipped norms is
    `mean min(‖g‖, Q)`. Q is c times that mean, and so is the threshold.

    Args:
        samples: Samples.
        quantile: Float in (0, 1), the share of steps that are not clipped.
        early: Whether the multiples are those of the noise alone.

    Returns:
        Suggestions, that with clipped norms first. The list is empty if the
        quantile is 0 or among the norms that are missing, and has no suggestion
        with clipped norms if the multiple is not above 1.
    """
    norms = samples.noise_norms if early else samples.gradient_norms
    level = quantile_of(norms, samples, quantile)
    if math.isinf(level) or not level:
        return []
    all_norms = with_missing(norms, samples)
    now = _now(quantile, early)
    found = _clipped(
        "adaptive clipped",
        level / _mean(np.minimum(all_norms, level)),
        _CLIPPED.format("the gradient norms", now),
    )
    if not samples.num_censored:
        found.append(
            _raw(
                "adaptive",
                level / _mean(norms),
                _RAW.format("the gradient norms", now),
            )
        )
    return found


def adaptive_by_layer(
    samples: NoiseSamples, quantile: float, early: bool
) -> list[Suggestion]:
    """Returns thresholds that are multiples of each variable's mean norm.

    Args:
        samples: Samples with the norms of each variable.
        quantile: Float in (0, 1), the share of variables that are not clipped.
        early: Whether the multiples are those of the noise alone.

    Returns:
        Suggestions, as those of `adaptive`.
    """
    norms = samples.layer_gradient_norms
    if early:
        norms = samples.layer_noise_norms
    # A variable whose gradient is always 0 is never clipped.
    norms = norms[:, np.max(norms, axis=0) > 0]
    norms = norms / np.max(norms, axis=0)
    levels = np.quantile(norms, quantile, axis=0)
    means = np.mean(np.minimum(norms, levels), axis=0)
    moving = means > 0
    if not moving.any():
        return []
    ratios = norms[:, moving] / means[moving]
    now = _now(quantile, early)
    each = "the gradient norms of each variable"
    return [
        *_clipped(
            "layer adaptive clipped",
            float(np.quantile(ratios, quantile)),
            _CLIPPED.format(each, now),
            clipping="layer",
        ),
        _raw(
            "layer adaptive",
            float(np.quantile(norms / np.mean(norms, axis=0), quantile)),
            _RAW.format(each, now),
            clipping="layer",
        ),
    ]


def _now(quantile, early):
    if early:
        return (
            f"that multiple is the {quantile:g} quantile of the noise alone, "
            "which is left once the full gradient is small"
        )
    return f"that multiple is now their {quantile:g} quantile"


def _clipped(name, multiplier, rule, **where):
    multiplier = float(f"{multiplier:.4g}")
    if multiplier <= 1:
        return []
    threshold = AdaptiveThreshold(multiplier, of="clipped")
    return [Suggestion(name, threshold, rule, **where)]


def _raw(name, multiplier, rule, **where):
    threshold = AdaptiveThreshold(float(f"{multiplier:.4g}"))
    return Suggestion(name, threshold, rule, **where)


def _mean(norms):
    """Returns the mean of norms, whose sum may overflow."""
    largest = np.max(norms)
    return float(largest * np.mean(norms / largest))
