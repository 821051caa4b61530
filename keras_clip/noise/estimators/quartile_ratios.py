"""Counts outliers by the quartiles, against a Gaussian law."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from keras_clip.noise.estimators.sample_checks import check_projections
from keras_clip.noise.optional_packages import import_scipy
from keras_clip.validation import check_number

# Quartile ranges above the third quartile from where a sample is an outlier.
_MILD, _EXTREME = 1.5, 3.0


@dataclasses.dataclass(frozen=True)
class QuartileRatios:
    """Stores how often samples are outliers, against a Gaussian law.

    Args:
        mild: Share of samples beyond 1.5 quartile ranges above the third
            quartile, over the Gaussian law's, 0.0035.
        mild_low: Lower end of its interval.
        mild_high: Upper end.
        extreme: The same beyond 3 quartile ranges, over 1.2e-6.
        extreme_low: Lower end of its interval.
        extreme_high: Upper end.
        confidence: Probability of either interval.
        num_samples: Number of samples.
    """

    mild: float
    mild_low: float
    mild_high: float
    extreme: float
    extreme_low: float
    extreme_high: float
    confidence: float
    num_samples: int

    def __str__(self) -> str:
        """Returns both ratios with their intervals."""
        return (
            f"mild {self.mild:.3g} [{self.mild_low:.3g}, {self.mild_high:.3g}]"
            f", extreme {self.extreme:.3g} [{self.extreme_low:.3g}, "
            f"{self.extreme_high:.3g}]"
        )


def quartile_ratios(
    samples: ArrayLike, confidence: float = 0.95
) -> QuartileRatios:
    """Counts outliers on the right, and divides by those of a Gaussian law.

    ```
    mild    = P(X > Q₃ + 1.5 (Q₃ − Q₁)) / 0.0035
    extreme = P(X > Q₃ + 3 (Q₃ − Q₁)) / 1.2·10⁻⁶
    ```

    They are the ρ_mR and ρ_eR of Chezhegov et al. for the norms of gradients:
    1 for Gaussian samples. They do not say whether the tail is a power: an
    exponential law has a mild ratio of 14, and an extreme one of 6,000. With
    fewer than a million samples the extreme ratio of Gaussian ones is nearly
    always 0, and one outlier in a thousand makes it 850. The intervals are
    Clopper's and Pearson's, with the quartiles taken for exact.

    Args:
        samples: Array of shape `(n,)`, n at least 50, in any unit.
        confidence: Float in (0, 1). Defaults to `0.95`.

    Returns:
        A `QuartileRatios`.

    Raises:
        ValueError: If an argument is invalid.
        ImportError: If SciPy is not installed.

    Example:

    >>> import numpy as np
    >>> from keras_clip.noise import quartile_ratios
    >>> norms = np.random.default_rng(0).pareto(1.5, 2000) + 1
    >>> print(quartile_ratios(norms))
    mild 32.8 [28.9, 37.1], extreme 6.02e+04 [5.1e+04, 7.05e+04]

    References:
        - Chezhegov et al., Clipping Improves Adam-Norm and AdaGrad-Norm when
          the Noise Is Heavy-Tailed, 2025
        - Jordanova and Petkova, Measuring heavy-tailedness of distributions,
          2017
    """
    samples = check_projections("samples", samples)
    if samples.shape[1] > 1:
        raise ValueError(
            "`samples` must be an array of shape (n,). Received: "
            f"samples=an array of shape {samples.shape}"
        )
    confidence = check_number(
        "confidence", confidence, 0, 1, open_low=True, open_high=True
    )
    special = import_scipy("special")
    low, high = np.quantile(samples, [0.25, 0.75])
    found = []
    for ranges in (_MILD, _EXTREME):
        count = np.sum(samples > high + ranges * (high - low))
        # The third quartile of a Gaussian law is half its quartile range.
        gaussian = special.ndtr(-(1 + 2 * ranges) * special.ndtri(0.75))
        shares = _shares(special, count, len(samples), confidence)
        found += [float(share / gaussian) for share in shares]
    return QuartileRatios(*found, confidence, len(samples))


def _shares(special, count, number, confidence):
    """Returns a share and the ends of its interval."""
    tail = (1 - confidence) / 2
    low, high = 0.0, 1.0
    if count:
        low = special.betaincinv(count, number - count + 1, tail)
    if count < number:
        high = special.betaincinv(count + 1, number - count, 1 - tail)
    return count / number, low, high
