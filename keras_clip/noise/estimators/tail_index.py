"""Defines an estimate of the tail index, with its interval and verdict."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class TailIndex:
    """Stores an estimated tail index with a confidence interval.

    ```
    P(X > x) ∝ x^(−alpha)   for large x
    ```

    Moments of order below alpha are finite: with an index below 2 the noise
    has no variance, with one of 1 or less not even a mean.

    Args:
        alpha: The estimate.
        low: Lower end of the interval.
        high: Upper end of the interval.
        confidence: Probability with which such intervals hold the index.
        num_samples: Number of samples.
        k: Number of the largest samples that were used, or `None` if the
            estimator uses all of them. Defaults to `None`.

    Example:

    >>> from keras_clip.noise import TailIndex
    >>> index = TailIndex(1.523, 1.31, 1.78, confidence=0.95, num_samples=400)
    >>> print(index, index.verdict)
    1.52 [1.31, 1.78] heavy-tailed
    """

    alpha: float
    low: float
    high: float
    confidence: float
    num_samples: int
    k: int | None = None

    @property
    def verdict(self) -> str:
        """Returns whether the interval implies that there is no variance.

        `"heavy-tailed"`, without a variance, if it lies below 2; `"not
        heavy-tailed"` if it lies above; else `"undecided"`.
        """
        if self.high < 2:
            return "heavy-tailed"
        if self.low >= 2:
            return "not heavy-tailed"
        return "undecided"

    def __str__(self) -> str:
        return f"{self.alpha:.2f} [{self.low:.2f}, {self.high:.2f}]"
