"""Fits a sum of squares to the squared norm of the noise."""

import dataclasses
import functools
import math

import numpy as np
from numpy.typing import ArrayLike

from keras_clip.noise.estimators import squared_stables
from keras_clip.noise.estimators.sample_checks import check_norms
from keras_clip.noise.estimators.squared_sum import SquaredSum
from keras_clip.noise.optional_packages import import_scipy

INDICES = (0.5, 2.0)
DIMENSIONS = (0.5, 1e5)
# Of the starts. The search by Nelder and Mead's method begins at the best.
START_INDICES = (1.2, 1.5, 1.8, 1.95)
START_DIMENSIONS = 8.0 ** np.arange(6)
# Shares of samples in the tails that separate bins are made for.
TAIL_SHARES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02)
BIN_MINIMUM = 5
LEAST_PROBABILITY = 1e-9
# Of the log-likelihood, for which the search is started again.
LEAST_GAIN = 0.02
# Of the logarithm of squares, which is accurate to about 1e-16.
LEAST_SPREAD = 1e-12
TABLE_POINTS = 400


def fit_squared_gaussians(norms: ArrayLike) -> SquaredSum:
    """Fits a sum of squared Gaussians to the squared norm.

    ```
    norm² = Σ_{j≤m} X_j² ~ Gamma(m/2, 4 · scale²),   X_j ~ N(0, 2 · scale²)
    ```

    The fit is by maximum likelihood in m, a positive number, and scale. The
    squared norm of Gaussian noise approximately has this law.

    Args:
        norms: Array of shape `(n,)`, n at least 50: norms of the noise,
            positive and finite, in units of the gradient.

    Returns:
        A `SquaredSum` with an `alpha` of 2.

    Raises:
        ValueError: If `norms` is invalid.
        ImportError: If SciPy is not installed.

    Example:

    >>> import numpy as np
    >>> from keras_clip.noise import fit_squared_gaussians
    >>> noise = np.random.default_rng(0).normal(size=(2000, 30))
    >>> fit = fit_squared_gaussians(np.linalg.norm(noise, axis=1))
    >>> print(f"{fit.dimension:.1f} {fit.scale * 2**0.5:.3f}")
    31.2 0.982

    References:
        - [Zhang et al., 2020](https://arxiv.org/abs/1912.03194), figure 1
    """
    norms, unit = _scaled(check_norms("norms", norms))
    return _with_fit(2.0, *_gamma(norms), norms, unit)


def fit_squared_stables(norms: ArrayLike) -> SquaredSum:
    """Fits a sum of squared symmetric stable variables to the squared norm.

    ```
    norm² = Σ_{j≤m} X_j²,   E exp(i t X_j) = exp(−|scale · t|^alpha)
    ```

    The fit is by maximum likelihood in alpha, m and scale, for the numbers of
    norms in about thirty bins between quantiles, including the tails. The norm
    then has the tail index alpha. For alpha = 2 this is the sum of
    `fit_squared_gaussians`, which can have a slightly greater `log_likelihood`,
    as it is fitted to the norms and not to bins.

    The index is searched in [0.5, 2] and the dimension m in [0.5, 100000]. With
    many summands and a low index m is uncertain: the law is then close to a
    stable one, which m · scale^alpha and alpha determine.

    Args:
        norms: Array of shape `(n,)`, n at least 50: norms of the noise,
            positive and finite, in units of the gradient.

    Returns:
        A `SquaredSum`.

    Raises:
        ValueError: If `norms` is invalid, or varies less than any sum of
            100,000 squares.
        ImportError: If SciPy is not installed.

    Example:

    >>> import numpy as np
    >>> from keras_clip.noise import fit_squared_stables
    >>> noise = np.random.default_rng(0).standard_cauchy((2000, 5))
    >>> fit = fit_squared_stables(np.linalg.norm(noise, axis=1))
    >>> print(f"{fit.alpha:.1f} {fit.dimension:.0f} {fit.scale:.1f}")
    1.0 6 0.9

    References:
        - [Zhang et al., 2020](https://arxiv.org/abs/1912.03194), figure 1
    """
    norms, unit = _scaled(check_norms("norms", norms))
    dimension, scale = _gamma(norms)
    if dimension > DIMENSIONS[1]:
        raise ValueError(
            "`norms` must vary more than the norm of 100,000 Gaussians. "
            f"Received: norms={len(norms)} numbers that vary as little as with "
            f"{dimension:.3g}"
        )
    edges, bin_counts = _bins(norms)
    minimize = import_scipy("optimize").minimize

    def loss(parameters):
        alpha, log_dimension, location = parameters
        scale = _scale(alpha, log_dimension, location)
        below = squared_stables.distribution(
            (edges / scale) ** 2, alpha, math.exp(log_dimension)
        )
        shares = np.diff(below, prepend=0, append=1)
        return -bin_counts @ np.log(np.maximum(shares, LEAST_PROBABILITY))

    log_dimension = math.log(max(dimension, DIMENSIONS[0]))
    location = math.log(scale) + log_dimension / 2
    gaussian = np.array([2.0, log_dimension, location])
    parameters = min([gaussian, *_starts()], key=loss)
    bounds = [INDICES, np.log(DIMENSIONS), (-math.inf, math.inf)]
    low, high = np.quantile(np.log(norms), [0.25, 0.75])
    step = max(high - low, 1e-3) / 4
    steps = np.vstack([np.zeros(3), np.diag([-0.1, 0.4, step])])
    # A simplex can shrink too early, especially at the bound of 2.
    value, gain = loss(parameters), math.inf
    while gain > LEAST_GAIN:
        found = minimize(
            loss,
            parameters,
            method="Nelder-Mead",
            bounds=bounds,
            options={
                "initial_simplex": parameters + steps,
                "xatol": 1e-3,
                "fatol": 1e-3,
            },
        )
        gain = value - found.fun
        parameters, value = found.x, found.fun
        steps /= 4
    alpha, log_dimension, location = parameters
    scale = _scale(alpha, log_dimension, location)
    return _with_fit(float(alpha), math.exp(log_dimension), scale, norms, unit)


def _scaled(norms):
    """Returns norms in units of their median, and the median."""
    # The sum of the two in the middle may overflow.
    unit = 2 * np.median(norms / 2)
    return norms / unit, float(unit)


def _gamma(norms):
    """Returns the dimension and the scale of the fitted Gaussians."""
    special = import_scipy("special")
    largest = np.max(norms)
    mean = np.mean((norms / largest) ** 2)
    # log(shape) − ψ(shape) = spread, by Newton's method in 1/shape.
    spread = np.log(mean) - 2 * np.mean(np.log(norms / largest))
    if not spread > LEAST_SPREAD:
        raise ValueError(
            "`norms` must vary more than by rounding. Received: "
            f"norms={len(norms)} numbers from {np.min(norms):.17g} to "
            f"{largest:.17g}"
        )
    shape = 0.5 / spread
    for _ in range(100):
        difference = np.log(shape) - special.digamma(shape) - spread
        slope = shape - shape**2 * special.polygamma(1, shape)
        previous, shape = shape, 1 / (1 / shape + difference / slope)
        if abs(shape - previous) <= 1e-12 * shape:
            break
    return float(2 * shape), float(largest * math.sqrt(mean / shape / 4))


def _bins(norms):
    """Returns the edges of bins, and the number of norms in each bin."""
    n = len(norms)
    tail = [share for share in TAIL_SHARES if share * n >= BIN_MINIMUM]
    body = np.arange(0.05, 0.951, 0.05 if n >= 200 else 0.1)
    shares = np.concatenate([tail, body, 1 - np.array(tail[::-1])])
    edges = np.unique(np.quantile(norms, shares))
    places = np.searchsorted(edges, norms)
    return edges, np.bincount(places, minlength=len(edges) + 1)


def _scale(alpha, log_dimension, location):
    """Returns the scale of a summand if that of the sum is exp(location).

    The sum of m squares grows as m^(2/alpha). With `location` in place of the
    scale, the parameters are less correlated.
    """
    return math.exp(location - log_dimension / alpha)


@functools.cache
def _starts():
    """Returns parameters of laws with a median of 1, about that of norms."""
    starts = []
    for alpha in START_INDICES:
        for dimension in START_DIMENSIONS:
            low, high = -10.0, 10.0
            unit = dimension ** (2 / alpha)
            for _ in range(2):
                grid = np.linspace(low, high, 21)
                below = squared_stables.distribution(
                    unit * np.exp(grid), alpha, dimension
                )
                place = np.clip(np.searchsorted(below, 0.5), 1, 20)
                low, high = grid[place - 1], grid[place]
            location = -(low + high) / 4
            starts.append(np.array([alpha, math.log(dimension), location]))
    return starts


def _with_fit(alpha, dimension, scale, norms, unit):
    """Returns the law of norms in a unit, with the quality of its fit."""
    law = SquaredSum(
        alpha, dimension, float(scale), len(norms), math.nan, math.nan
    )
    norms = np.sort(norms)
    log_density, below = _evaluated(law, norms)
    ranks = np.arange(len(norms) + 1) / len(norms)
    distance = max(np.max(ranks[1:] - below), np.max(below - ranks[:-1]))
    return dataclasses.replace(
        law,
        scale=law.scale * unit,
        log_likelihood=float(np.sum(log_density - math.log(unit))),
        distance=float(distance),
    )


def _evaluated(law, norms):
    """Returns logarithm of the density and distribution at sorted norms."""
    if law.alpha == 2:
        gamma = import_scipy("stats").gamma
        # In logarithms, as the density can be zero at a large norm.
        log_density = gamma.logpdf(
            (norms / law.scale) ** 2, law.dimension / 2, scale=4
        ) + np.log(2 * norms / law.scale**2)
        return log_density, law.distribution(norms)
    table = norms
    if len(norms) > TABLE_POINTS:
        # Points both where norms are dense and far out.
        quantiles = np.quantile(norms, np.linspace(0, 1, TABLE_POINTS // 2))
        even = np.geomspace(norms[0], norms[-1], TABLE_POINTS // 2)
        table = np.unique(np.concatenate([quantiles, even]))
    log_density = np.log(
        np.maximum(law.density(table), LEAST_PROBABILITY / table)
    )
    below = law.distribution(table)
    if table is norms:
        return log_density, below
    spline = import_scipy("interpolate").CubicSpline
    x, grid = np.log(norms), np.log(table)
    return spline(grid, log_density)(x), np.clip(spline(grid, below)(x), 0, 1)
