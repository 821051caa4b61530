"""Computes how the empirical variance of the noise converges, if it does."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from keras_clip.noise.estimators.sample_checks import check_norms
from keras_clip.validation import check_integer


@dataclasses.dataclass(frozen=True, eq=False)
class VarianceCurve:
    """Stores the empirical variance of the noise by number of samples.

    Args:
        num_samples: Array of numbers n, increasing.
        variance: Array, the variance of the first n samples.
        low: Array, its 10 % quantile over random orders of the samples.
        high: Array, its 90 % quantile.
    """

    num_samples: np.ndarray
    variance: np.ndarray
    low: np.ndarray
    high: np.ndarray


def variance_curve(
    norms: ArrayLike, orders: int = 100, seed: int = 0, points: int = 100
) -> VarianceCurve:
    """Returns the mean squared norm of the first n samples, for growing n.

    ```
    variance_n = (1/n) · Σ_{i≤n} norm_i²        norm_i = ‖g_i − ∇f‖
    ```

    If the noise has a variance, the curve converges; if not, it jumps at every
    new largest sample, however many there were. The band shows the influence of
    the order of samples; it has no width at the last n, that of all samples.

    Args:
        norms: Array of shape `(n,)`, n at least 2, in the order of sampling:
            norms of the noise, finite and not negative, in units of the
            gradient.
        orders: Positive integer, the number of random orders for the band.
            Defaults to `100`.
        seed: Integer from 0, the seed of these orders. Defaults to `0`.
        points: Integer from 2. The curve has about as many points, evenly
            spaced in the logarithm of the number of samples. Defaults to `100`.

    Returns:
        A `VarianceCurve`, in squared units of the gradient: infinite where
        that is more than the largest float.

    Raises:
        ValueError: If an argument is invalid.

    Example:

    >>> from keras_clip.noise import variance_curve
    >>> curve = variance_curve([1.0, 3.0, 1.0, 1.0])
    >>> curve.num_samples, curve.variance.round(2)
    (array([1, 2, 3, 4]), array([1.  , 5.  , 3.67, 3.  ]))

    References:
        - [Zhang et al., 2020](https://arxiv.org/abs/1912.03194), figure 1
    """
    norms = check_norms("norms", norms, minimum=2, zeros=True)
    # Squares of the norms may overflow.
    unit = np.max(norms) or 1.0
    squares = (norms / unit) ** 2
    orders = check_integer("orders", orders, 1)
    rng = np.random.default_rng(check_integer("seed", seed, 0))
    points = check_integer("points", points, 2)
    n = len(squares)
    grid = np.unique(np.geomspace(1, n, points).round().astype("int64"))
    means = np.stack(
        [_means(rng.permutation(squares), grid) for _ in range(orders)]
    )
    low, high = np.quantile(means, [0.1, 0.9], axis=0)
    with np.errstate(over="ignore", under="ignore"):
        variance, low, high = (
            mean * unit * unit for mean in (_means(squares, grid), low, high)
        )
    return VarianceCurve(
        num_samples=grid, variance=variance, low=low, high=high
    )


def _means(squares, grid):
    return np.cumsum(squares)[grid - 1] / grid
