"""Hill's estimator for every number of largest samples, for a Hill plot."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from keras_clip.noise.estimators.sample_checks import check_norms
from keras_clip.noise.optional_packages import import_scipy
from keras_clip.validation import check_number


@dataclasses.dataclass(frozen=True, eq=False)
class HillCurve:
    """Stores Hill's estimates from the k largest of n samples, for every k.

    Args:
        k: Array of the integers from 1 to n−1.
        alpha: Array of the estimates.
        low: Array of the lower ends of their intervals.
        high: Array of the upper ends.
        confidence: Probability of a single interval.
    """

    k: np.ndarray
    alpha: np.ndarray
    low: np.ndarray
    high: np.ndarray
    confidence: float


def hill_curve(samples: ArrayLike, confidence: float = 0.95) -> HillCurve:
    """Estimates the tail index from the k largest samples, for every k.

    ```
    1 / alpha_k = (1/k) · Σ_{i≤k} log(X_(i) / X_(k+1))      X_(1) ≥ X_(2) ≥ …
    ```

    A power tail shows as a level piece of the curve; to its left there is
    noise, to its right the body of the distribution. The intervals are those of
    `hill`. They hold for each k separately, and neighbours share samples: a
    short level piece may be due to chance.

    Args:
        samples: Array of shape `(n,)`, n at least 50: positive and finite, in
            any unit.
        confidence: Float in (0, 1). Defaults to `0.95`.

    Returns:
        A `HillCurve`. The estimate is infinite where the k+1 largest samples
        are equal.

    Raises:
        ValueError: If an argument is invalid.
        ImportError: If SciPy is not installed.

    Example:

    >>> import numpy as np
    >>> from keras_clip.noise import hill_curve
    >>> norms = np.random.default_rng(0).pareto(1.5, 2000) + 1
    >>> curve = hill_curve(norms)
    >>> curve.alpha[[49, 199, 799]].round(2)
    array([1.28, 1.36, 1.47])

    References:
        - Hill, A simple general approach to inference about the tail of a
          distribution, 1975
    """
    samples = check_norms("samples", samples)
    confidence = check_number(
        "confidence", confidence, 0, 1, open_low=True, open_high=True
    )
    logs = np.sort(np.log(samples))[::-1]
    k = np.arange(1, len(logs))
    # Σ_{i≤k} log(X_(i) / X_(k+1)), summed by parts.
    sums = np.cumsum(k * (logs[:-1] - logs[1:]))
    with np.errstate(divide="ignore"):
        alpha = k / sums
    quantile = import_scipy("special").gammaincinv
    return HillCurve(
        k=k,
        alpha=alpha,
        low=alpha * quantile(k, (1 - confidence) / 2) / k,
        high=alpha * quantile(k, (1 + confidence) / 2) / k,
        confidence=confidence,
    )
