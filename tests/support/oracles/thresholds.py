"""Clipping thresholds as functions of the update count, in NumPy float64."""

import math


def is_adaptive(threshold):
    return hasattr(threshold, "multiplier")


def at(threshold, k, own, norms, moments):
    """Returns the thresholds of update k and the moments after it.

    Args:
        threshold: A positive number; a list with a number or an array for each
            variable; a record with `scale`, which is one of these, and
            `power`; or one with `multiplier`, `beta`, `alpha`, `of` and
            `warmup_steps`.
        k: The update, 1 for the first.
        own: For each norm the number of this update of what it is the norm of.
        norms: The norms of the gradients: of each variable, or the global one.
        moments: τ_{k−1}^alpha of each norm; only adaptive thresholds move it.
    """
    match threshold:
        case object(of="clipped"):
            pairs = [
                _of_clipped(threshold, number, norm, moment)
                for number, norm, moment in zip(
                    own, norms, moments, strict=True
                )
            ]
            thresholds, moments = map(list, zip(*pairs, strict=True))
        case object(multiplier=multiplier, beta=beta, alpha=alpha):
            moments = [
                beta * moment + (1 - beta) * norm**alpha
                for moment, norm in zip(moments, norms, strict=True)
            ]
            corrected = [
                moment / (1 - beta**number)
                for moment, number in zip(moments, own, strict=True)
            ]
            thresholds = [multiplier * c ** (1 / alpha) for c in corrected]
        case object(scale=scale, power=power):
            thresholds = [s * k**power for s in _for_each(scale, norms)]
        case _:
            thresholds = _for_each(threshold, norms)
    return thresholds, moments


def norm_of(threshold, k, moment):
    """Returns the norm that, always seen, has led to a moment in k updates."""
    if threshold.of == "raw":
        moment = moment / (1 - threshold.beta**k)
    return moment ** (1 / threshold.alpha)


def moment_of(threshold, k, norm):
    """Returns the moment that a norm leads to that is seen k times."""
    moment = norm**threshold.alpha
    return moment * (1 - threshold.beta**k if threshold.of == "raw" else 1)


def _for_each(value, norms):
    values = value if isinstance(value, list) else [value] * len(norms)
    assert len(values) == len(norms)
    return values


def _of_clipped(threshold, k, norm, moment):
    """Returns τ of the moment before the update, and the moment after it.

    A moment of zero, which zeros alone have led to, clips nothing: it begins
    anew.
    """
    beta, alpha = threshold.beta, threshold.alpha
    if k <= threshold.warmup_steps:
        return math.inf, moment + (norm**alpha - moment) / k
    if moment == 0:
        return math.inf, norm**alpha
    tau = threshold.multiplier * moment ** (1 / alpha)
    clipped = min(norm, tau)
    return tau, beta * moment + (1 - beta) * clipped**alpha
