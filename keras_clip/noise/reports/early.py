"""Finds out whether training will still shrink the gradients."""

import numpy as np

from keras_clip.noise.sampling.noise_samples import NoiseSamples


def is_early(samples: NoiseSamples, quantile: float = 0.9) -> bool:
    """Returns whether a constant threshold chosen now would soon be too large.

    Training makes the full gradient small and leaves the noise around it. The
    function therefore compares the noise alone with a quantile of the gradient
    norms, which is too large if the noise exceeds it less than half as often.
    In models that were sampled before training, noise exceeded the 0.9 quantile
    in 0 % to 5 % of the steps, and in up to 8 % where it was so heavy-tailed
    that the threshold stayed right; after a few epochs, in 4 % to 10 %.

    A ratio of the two norms does not suffice: one of 0.7 does not matter if
    the largest gradients are noise, but does if all gradients are alike. If
    the full gradient is an estimate, its error enlarges the noise, and the
    answer may be `False` too often.

    Args:
        samples: Samples.
        quantile: Float in (0, 1), the share of steps that a threshold does not
            clip. Defaults to `0.9`.

    Returns:
        A bool.

    Example:

    >>> import numpy as np
    >>> from keras_clip import noise
    >>> from keras_clip.noise.reports.early import is_early
    >>> model = keras.Sequential([keras.layers.Input((2,)),
    ...                           keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x = np.random.default_rng(0).normal(size=(256, 2))
    >>> samples = noise.sample(
    ...     model, x, x[:, :1] + 100, batch_size=32, verbose=0)
    >>> is_early(samples)
    True
    """
    return share_of_noise_clipped(samples, quantile) < (1 - quantile) / 2


def share_of_noise_clipped(samples: NoiseSamples, quantile: float) -> float:
    """Returns the share of noise beyond a quantile of the gradient norms.

    Args:
        samples: Samples; missing ones count as the largest.
        quantile: Float in (0, 1).

    Returns:
        Float in [0, 1], the share of steps that would be clipped if there were
        no full gradient but the same noise.
    """
    threshold = quantile_of(samples.gradient_norms, samples, quantile)
    norms = with_missing(samples.noise_norms, samples)
    # Both are infinite for missing samples.
    return float(np.mean((norms > threshold) | np.isinf(norms)))


def quantile_of(
    norms: np.ndarray, samples: NoiseSamples, quantile: float
) -> float:
    """Returns a quantile of norms, infinite if among the missing ones.

    Args:
        norms: Array of shape `(n,)`, norms of the samples.
        samples: Samples.
        quantile: Float in (0, 1).
    """
    if not samples.num_censored:
        return float(np.quantile(norms, quantile))
    norms = with_missing(norms, samples)
    return float(np.quantile(norms, quantile, method="higher"))


def with_missing(norms: np.ndarray, samples: NoiseSamples) -> np.ndarray:
    """Returns norms with infinity for each that may be among the largest.

    Args:
        norms: Array of shape `(n,)`.
        samples: Samples, whose `num_censored` are missing.
    """
    return np.append(norms, np.full(samples.num_censored, np.inf))
