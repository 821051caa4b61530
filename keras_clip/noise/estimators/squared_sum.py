"""Defines the fitted law of a sum of squares."""

import dataclasses

import numpy as np
from numpy.typing import ArrayLike

from keras_clip.noise.estimators import squared_stables
from keras_clip.noise.estimators.sample_checks import check_positive
from keras_clip.noise.optional_packages import import_scipy


@dataclasses.dataclass(frozen=True)
class SquaredSum:
    """Stores the law of a norm whose square is a sum of squared variables.

    ```
    norm² = Σ_{j≤dimension} X_j²      E exp(i t X_j) = exp(−|scale · t|^alpha)
    ```

    The X_j are independent, symmetric and stable; for alpha = 2 they are
    Gaussian with a standard deviation of √2 · scale. The coordinates of the
    noise depend on each other: the dimension is a number of independent ones,
    smaller than the number of parameters, and need not be an integer.

    Args:
        alpha: Index of the stable law, in (0, 2].
        dimension: Number of summands.
        scale: Scale of one summand, in units of the norm.
        num_samples: Number of norms that it was fitted to.
        log_likelihood: Sum of the logarithms of `density` at those norms.
        distance: Kolmogorov and Smirnov's, the greatest difference between
            `distribution` and that of those norms.
    """

    alpha: float
    dimension: float
    scale: float
    num_samples: int
    log_likelihood: float
    distance: float

    def density(self, norm: ArrayLike) -> np.ndarray:
        """Returns the density of the norm, for a histogram of norms.

        ```
        2 · norm · f(norm²),   f the density of the sum
        ```

        Args:
            norm: Array of positive norms, of any shape.

        Returns:
            Array of that shape, exact to about `1e-8 / norm`.

        Raises:
            ValueError: If a norm is not positive and finite.
            ImportError: If SciPy is not installed.
        """
        ratio = self._ratio(norm)
        x = ratio.ravel() ** 2
        if self.alpha == 2:
            gamma = import_scipy("stats").gamma
            values = gamma.pdf(x, self.dimension / 2, scale=4)
        else:
            values = squared_stables.density(x, self.alpha, self.dimension)
        return 2 * ratio * values.reshape(ratio.shape) / self.scale

    def distribution(self, norm: ArrayLike) -> np.ndarray:
        """Returns the probability of a norm that is not greater.

        Args:
            norm: Array of positive norms, of any shape.

        Returns:
            Array of that shape, exact to about 1e-8.

        Raises:
            ValueError: If a norm is not positive and finite.
            ImportError: If SciPy is not installed.
        """
        ratio = self._ratio(norm)
        x = ratio.ravel() ** 2
        if self.alpha == 2:
            gamma = import_scipy("stats").gamma
            values = gamma.cdf(x, self.dimension / 2, scale=4)
        else:
            values = squared_stables.distribution(x, self.alpha, self.dimension)
        return values.reshape(ratio.shape)

    def _ratio(self, norm):
        """Returns the norm in units of the scale, clipped to have a square."""
        norm = check_positive("norm", norm)
        with np.errstate(over="ignore"):
            return np.clip(norm / self.scale, 1e-150, 1e150)
