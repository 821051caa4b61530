"""Draws noise with a mean and, mostly, no variance, in float64.

A law is drawn from 53-bit uniforms on (0, 1], so that tails are right down to
probabilities of 1e-16. Float32 uniforms end at 2⁻²³ and hold zeros.
"""

import dataclasses
import math

import jax
from jax import numpy as jnp

# In float32 there is no room for a tail, neither of noise nor of errors.
jax.config.update("jax_enable_x64", True)


def uniforms(key: jax.Array, shape: tuple[int, ...]) -> tuple:
    """Draws uniforms on (0, 1], and signs that do not depend on them.

    Args:
        key: Random key.
        shape: Shape of the arrays.

    Returns:
        Tuple of two float64 arrays.
    """
    bits = jax.random.bits(key, shape, "uint64")
    u = ((bits >> 11) + 1).astype("float64") * 2.0**-53
    # The lowest bit is not one of the 53.
    return u, jnp.where(bits & 1, 1.0, -1.0)


@dataclasses.dataclass(frozen=True)
class Law:
    """Base class of the laws: independent coordinates of mean 0.

    Args:
        tail_index: The supremum of the orders of its finite moments.
    """

    tail_index: float

    def draw(self, key: jax.Array, k: jax.Array, shape: tuple) -> jax.Array:
        """Returns the noise of one step.

        Args:
            key: Random key of this step.
            k: Number of the step, from 1.
            shape: Shape `(runs, dimension)`.
        """
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Pareto(Law):
    """Symmetric noise with `P(|ξ| > t) = (1 + t)^−α`.

    With α = 1.5 it is the noise of the second paper's quadratic.
    """

    def draw(self, key, k, shape):
        """Returns `±(U^(−1/α) − 1)`; see `Law`."""
        u, sign = uniforms(key, shape)
        return sign * (u ** (-1 / self.tail_index) - 1)


@dataclasses.dataclass(frozen=True)
class SkewedPareto(Law):
    """Noise whose large values are all positive: Pareto minus its mean."""

    def draw(self, key, k, shape):
        """Returns `U^(−1/α) − α/(α−1)`; see `Law`."""
        u, _ = uniforms(key, shape)
        alpha = self.tail_index
        return u ** (-1 / alpha) - alpha / (alpha - 1)


@dataclasses.dataclass(frozen=True)
class Stable(Law):
    """Symmetric α-stable noise with `E exp(itξ) = exp(−|t|^α)`."""

    def draw(self, key, k, shape):
        """Returns noise by Chambers, Mallows and Stuck; see `Law`."""
        alpha = self.tail_index
        one, two = (uniforms(each, shape)[0] for each in jax.random.split(key))
        angle = math.pi * (one - 0.5)
        x = jnp.sin(alpha * angle) / jnp.cos(angle) ** (1 / alpha)
        ratio = -jnp.log(two) / jnp.cos((1 - alpha) * angle)
        return x * ratio ** ((alpha - 1) / alpha)


@dataclasses.dataclass(frozen=True)
class StudentT(Law):
    """Student's t with `tail_index` degrees of freedom."""

    def draw(self, key, k, shape):
        """Returns noise by Bailey's polar method; see `Law`."""
        nu = self.tail_index
        one, two = (uniforms(each, shape)[0] for each in jax.random.split(key))
        radius = jnp.sqrt(nu * jnp.expm1(-2 / nu * jnp.log(one)))
        return radius * jnp.cos(2 * math.pi * two)


@dataclasses.dataclass(frozen=True)
class Gaussian(Law):
    """Standard normal noise, the control with light tails."""

    tail_index: float = 2.0

    def draw(self, key, k, shape):
        """Returns noise by Box and Muller; see `Law`."""
        one, two = (uniforms(each, shape)[0] for each in jax.random.split(key))
        return jnp.sqrt(-2 * jnp.log(one)) * jnp.cos(2 * math.pi * two)


@dataclasses.dataclass(frozen=True)
class Spike(Law):
    """One huge gradient in the first step, and no other noise.

    It is `±probability^(−1/α)` with this probability, so `E|ξ|^α` is 1.

    Args:
        probability: Float in (0, 1).
    """

    probability: float = 0.01

    def draw(self, key, k, shape):
        """Returns the noise of step `k`; see `Law`."""
        u, sign = uniforms(key, shape)
        size = self.probability ** (-1 / self.tail_index)
        hit = jnp.logical_and(k == 1, u <= self.probability)
        return jnp.where(hit, sign * size, 0.0)


@dataclasses.dataclass(frozen=True)
class Unequal(Law):
    """Noise of another law whose scale falls as `1/i` over coordinates.

    Args:
        law: The law.
    """

    law: Law = Gaussian()
    tail_index: float = dataclasses.field(init=False, default=0.0)

    def __post_init__(self):
        object.__setattr__(self, "tail_index", self.law.tail_index)

    def draw(self, key, k, shape):
        """Returns the other law's noise, scaled; see `Law`."""
        return self.law.draw(key, k, shape) * scales(shape[-1])


def scales(dimension: int) -> jax.Array:
    """Returns the scales of the coordinates of `Unequal` noise."""
    return 1 / jnp.arange(1, dimension + 1, dtype="float64")
