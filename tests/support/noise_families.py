"""Samples of laws with a known tail index, by their textbook formulas."""

import numpy as np


def stable(rng, alpha, shape):
    """Symmetric stable samples, by Chambers, Mallows and Stuck.

    Their characteristic function is `exp(−|t|^alpha)`: for alpha = 2 they are
    Gaussian with a variance of 2.
    """
    angle = rng.uniform(-np.pi / 2, np.pi / 2, shape)
    w = rng.exponential(size=shape)
    x = np.sin(alpha * angle) / np.cos(angle) ** (1 / alpha)
    return x * (np.cos((1 - alpha) * angle) / w) ** ((1 - alpha) / alpha)


def positive_stable(rng, alpha, shape):
    """Samples above zero with `E exp(−s X) = exp(−s^alpha)`, by Kanter."""
    angle = rng.uniform(0, np.pi, shape)
    w = rng.exponential(size=shape)
    x = np.sin(alpha * angle) / np.sin(angle) ** (1 / alpha)
    return x * (np.sin((1 - alpha) * angle) / w) ** ((1 - alpha) / alpha)


def stable_norms(rng, alpha, dimension, n):
    return np.linalg.norm(stable(rng, alpha, (n, dimension)), axis=1)


def pareto(rng, alpha, n):
    return rng.uniform(size=n) ** (-1 / alpha)


def frechet(rng, alpha, n):
    return rng.exponential(size=n) ** (-1 / alpha)


# (index, sampler of n positive numbers)
FAMILIES = {
    "pareto, 1.5": (1.5, lambda rng, n: pareto(rng, 1.5, n)),
    "pareto, 3": (3.0, lambda rng, n: pareto(rng, 3.0, n)),
    "frechet, 1.5": (1.5, lambda rng, n: frechet(rng, 1.5, n)),
    "frechet, 3": (3.0, lambda rng, n: frechet(rng, 3.0, n)),
    "student, 1.5": (1.5, lambda rng, n: abs(rng.standard_t(1.5, n))),
    "student, 2": (2.0, lambda rng, n: abs(rng.standard_t(2, n))),
    "student, 3": (3.0, lambda rng, n: abs(rng.standard_t(3, n))),
    "stable, 1.2": (1.2, lambda rng, n: abs(stable(rng, 1.2, n))),
    "stable, 1.5": (1.5, lambda rng, n: abs(stable(rng, 1.5, n))),
    "norm of ten stable, 1.5": (
        1.5,
        lambda rng, n: stable_norms(rng, 1.5, 10, n),
    ),
    # P(X > x) = (1 + x²)^(−3/4).
    "burr, 1.5": (
        1.5,
        lambda rng, n: np.sqrt(rng.uniform(size=n) ** (-4 / 3) - 1),
    ),
}


def coverage(estimates, index):
    """Returns the share of intervals that hold the index."""
    return np.mean([e.low <= index <= e.high for e in estimates])
