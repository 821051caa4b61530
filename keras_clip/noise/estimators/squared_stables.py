"""Computes the law of a sum of squared symmetric stable variables.

```
E exp(i t X) = exp(−|t|^alpha)      S = Σ_{j≤m} X_j²
E exp(−s S)  = E_Z[exp(−(2s)^{alpha/2} |Z|^alpha)]^m,   Z standard normal
```

since `exp(−s x²) = E exp(i √(2s) Z x)`. The power m may be any positive number.
The transform is inverted by the Fourier series method of Abate and Whitt, on
the line `Re s = A / (2x)`, with Euler's summation for the remainder of the
series: [Numerical inversion of Laplace transforms of probability distributions,
1995](https://doi.org/10.1287/ijoc.7.1.36). For alpha = 2 it is a Gamma law.
"""

import math

import numpy as np

# The series is that of the law repeated with a period. The copies have a weight
# of exp(−A), which is 1e-8.
A = 18.4
# Rounding is magnified by exp(A/2), which is 1e4: the remainder of the series
# has to be smaller than 1e-8 by a similar factor.
TOLERANCE = 1e-11
EULER_TERMS = 12
# Enough for a coefficient of variation of 0.0045, of m = 100,000.
TERMS = 24 * 2 ** np.arange(7)
BLOCK = 4096


def distribution(x: np.ndarray, alpha: float, dimension: float) -> np.ndarray:
    """Returns the probability that the sum is at most x, to about 1e-8.

    Args:
        x: Array of shape `(n,)` of positive numbers.
        alpha: Index of the stable law, in [0.5, 2].
        dimension: Number m of summands, in [0.5, 100000].

    Returns:
        Array of shape `(n,)`.
    """
    return np.clip(_invert(x, alpha, dimension, lambda f, s: f / s), 0, 1)


def density(x: np.ndarray, alpha: float, dimension: float) -> np.ndarray:
    """Returns the density of the sum at x, to about 1e-8 over x.

    Args:
        x: Array of shape `(n,)` of positive numbers.
        alpha: Index of the stable law, in [0.5, 2].
        dimension: Number m of summands, in [0.5, 100000].

    Returns:
        Array of shape `(n,)`.
    """
    return np.maximum(_invert(x, alpha, dimension, lambda f, s: f), 0)


def _invert(x, alpha, dimension, transformed):
    if not x.size:
        return x
    points, weights = _quadrature(alpha, np.min(x))

    def transform(s):
        """Returns the transform at `s` of shape (n, terms), in blocks."""
        w = (2 * s.ravel()) ** (alpha / 2)
        missing = np.concatenate(
            [
                np.expm1(np.multiply.outer(-block, points)) @ weights
                for block in np.split(w, range(BLOCK, w.size, BLOCK))
            ]
        )
        return np.exp(dimension * np.log1p(missing)).reshape(s.shape)

    result = np.empty(len(x))
    rest = np.arange(len(x))
    for terms in TERMS:
        last = transform(_line(x[rest], terms + np.arange(2)))
        # The remainder of a geometric series with this ratio after summation.
        size = np.maximum(np.abs(last[:, 0]), 1e-30)
        ratio = np.abs(last[:, 0] - last[:, 1]) / (2 * size)
        error = size * ratio**EULER_TERMS
        done = (error < TOLERANCE) | (terms == TERMS[-1])
        if np.any(done):
            s = _line(x[rest[done]], np.arange(terms + EULER_TERMS + 1))
            series = transformed(transform(s), s).real @ _summation(terms)
            result[rest[done]] = math.exp(A / 2) / x[rest[done]] * series
        rest = rest[~done]
        if not rest.size:
            break
    return result


def _line(x, k):
    return (A / 2 + 1j * math.pi * k) / x[:, None]


def _summation(terms):
    """Returns the weights of an alternating series, Euler's at its end."""
    binomials = [math.comb(EULER_TERMS, j) for j in range(EULER_TERMS + 1)]
    euler = np.cumsum(binomials[::-1])[::-1] / 2**EULER_TERMS
    weights = np.concatenate([np.ones(terms), euler])
    weights[1::2] *= -1
    weights[0] /= 2
    return weights


def _quadrature(alpha, least):
    """Returns points and weights: `E f(|Z|^alpha) = Σ weights · f(points)`.

    The trapezoidal rule in log|Z| is used on a path that is rotated from the
    real line, so that the integrand decays on all of the line `Re s = const`.
    The width of the strip where it decays sets the step for an error of 1e-14.
    The path begins where the integrand for the smallest x is as small.
    """
    turn = max(0, math.pi / 4 * (1 - 1 / alpha))
    strip = min(math.pi / 4, math.pi / (4 * alpha))
    step = 2 * math.pi * strip / 33
    first = min(0, -math.log(2 * math.pi * TERMS[0] / least) / 2)
    first -= 32 / (1 + alpha)
    z = np.exp(np.arange(first, 2.35, step) - 1j * turn)
    weights = math.sqrt(2 / math.pi) * step * z * np.exp(-(z**2) / 2)
    return z**alpha, weights
