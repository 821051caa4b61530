"""Estimates the tail index of a symmetric stable law from logarithms."""

import math

import numpy as np
from numpy.typing import ArrayLike

from keras_clip.noise.estimators.sample_checks import check_projections
from keras_clip.noise.estimators.tail_index import TailIndex
from keras_clip.noise.optional_packages import import_scipy
from keras_clip.validation import check_number


def log_moment(samples: ArrayLike, confidence: float = 0.95) -> TailIndex:
    """Estimates the index of symmetric stable samples from their logarithms.

    ```
    Var log|X| = π²/6 · (1/alpha² + 1/2)      whatever the scale of X
    alpha      = (6/π² · V − 1/2)^(−1/2)
    ```

    V is the sample variance of log|X|. The samples have to be centred at
    zero: coordinates of the noise or its projections on directions, not norms,
    for which the equation does not hold.

    Each column of an `(n, p)` array is a projection, with a separate scale, and
    V is the mean over the columns. Its standard error is that of the n rows,
    since the projections of one noise vector depend on each other. The interval
    is that of log V, by Student's t, in terms of alpha. It holds the index in
    88 % of cases with 50 samples, 92 % with 200, 95 % with 1,000, at a
    confidence of 95 %.

    No stable law has an index above 2: estimate and interval end there. Samples
    with lighter tails than Gaussian ones, where the root may not even exist,
    have an estimate of 2. For heavy tails that are not stable the estimate is
    not their index.

    Args:
        samples: Array of shape `(n,)` or `(n, p)`, n at least 50: finite, none
            zero, of both signs in every column, in any unit.
        confidence: Float in (0, 1). Defaults to `0.95`.

    Returns:
        A `TailIndex`.

    Raises:
        ValueError: If an argument is invalid.
        ImportError: If SciPy is not installed.

    Example:

    >>> import numpy as np
    >>> from keras_clip.noise import log_moment
    >>> noise = np.random.default_rng(0).standard_cauchy(2000)
    >>> print(log_moment(noise))
    1.04 [0.97, 1.12]

    References:
        - Ma and Nikias, Parameter estimation and blind channel identification
          in impulsive signal environments, 1995
    """
    samples = check_projections("samples", samples)
    confidence = check_number(
        "confidence", confidence, 0, 1, open_low=True, open_high=True
    )
    if np.any(samples == 0):
        raise ValueError(
            "`samples` must not be zero, where the logarithm is infinite. "
            f"Received: samples={np.sum(samples == 0)} zeros"
        )
    if np.any(np.all(samples > 0, axis=0) | np.all(samples < 0, axis=0)):
        raise ValueError(
            "`samples` must be centred at zero; for norms see `hill`. "
            "Received: samples=numbers of one sign"
        )
    sizes = np.abs(samples)
    if np.all(sizes == sizes[0]):
        raise ValueError(
            "`samples` must not all be equal but for their sign. "
            f"Received: samples=±{sizes[0, 0]:g}"
        )
    n = len(samples)
    logs = np.log(sizes)
    rows = np.mean((logs - np.mean(logs, axis=0)) ** 2, axis=1)
    variance = np.sum(rows) / (n - 1)
    error = np.std(rows, ddof=1) / math.sqrt(n)
    quantile = import_scipy("special").stdtrit(n - 1, (1 + confidence) / 2)
    factor = math.exp(quantile * error / variance)
    return TailIndex(
        alpha=_alpha(variance),
        low=_alpha(variance * factor),
        high=_alpha(variance / factor),
        confidence=confidence,
        num_samples=n,
    )


def _alpha(variance):
    radicand = 6 / math.pi**2 * variance - 0.5
    return float(radicand**-0.5) if radicand > 0.25 else 2.0
