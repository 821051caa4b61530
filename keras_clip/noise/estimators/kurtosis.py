"""Compares samples with Gaussian ones by their fourth moment."""

import numpy as np
from numpy.typing import ArrayLike

from keras_clip.noise.estimators.sample_checks import check_projections
from keras_clip.noise.optional_packages import import_scipy


def kurtosis(samples: ArrayLike) -> float:
    """Returns Pearson's kurtosis, 3 for Gaussian samples.

    ```
    E (X − E X)⁴ / (Var X)²
    ```

    With a tail index below 4 it does not exist: that of the samples then grows
    without bound, at most linearly in n. A large value tells heavy tails from
    Gaussian ones, but not how heavy they are.

    Args:
        samples: Array of shape `(n,)` or `(n, p)`, n at least 50, in any unit:
            with p projections of each sample the mean over them is returned.

    Returns:
        A float.

    Raises:
        ValueError: If `samples` has another shape, too few elements, one that
            is not finite, or a column of equal ones.
        ImportError: If SciPy is not installed.

    Example:

    >>> import numpy as np
    >>> from keras_clip.noise import kurtosis
    >>> noise = np.random.default_rng(0).normal(size=(2000, 10))
    >>> print(f"{kurtosis(noise):.2f}")
    3.00
    """
    samples = check_projections("samples", samples)
    # The fourth power of numbers near the largest float would overflow.
    samples = samples / np.max(np.abs(samples), axis=0)
    statistic = import_scipy("stats").kurtosis
    return float(np.mean(statistic(samples, axis=0, fisher=False)))
