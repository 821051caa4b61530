"""Defines the functions that are minimized, with their minimum at height 0."""

import dataclasses
import math

import jax
from jax import numpy as jnp


@dataclasses.dataclass(frozen=True)
class Problem:
    """Base class of the problems.

    Args:
        dimension: Number of parameters.
        distance: Norm of the start, whose coordinates are equal.
    """

    dimension: int = 1
    distance: float = 2.0

    def start(self) -> jax.Array:
        """Returns the parameters to start from."""
        each = self.distance / math.sqrt(self.dimension)
        return jnp.full((self.dimension,), each, "float64")

    def height(self, x: jax.Array) -> jax.Array:
        """Returns `f(x) − f*`.

        Args:
            x: Parameters, of shape `(runs, dimension)`.

        Returns:
            Array of shape `(runs,)`.
        """
        raise NotImplementedError

    def gradient(self, x: jax.Array) -> jax.Array:
        """Returns `∇f(x)`, of the shape of `x`."""
        raise NotImplementedError


@dataclasses.dataclass(frozen=True)
class Quadratic(Problem):
    """The second paper's problem: `f(x) = ‖x‖²/2`, strongly convex."""

    def height(self, x):
        """Returns `‖x‖²/2`; see `Problem`."""
        return jnp.sum(jnp.square(x), -1) / 2

    def gradient(self, x):
        """Returns `x`; see `Problem`."""
        return x


@dataclasses.dataclass(frozen=True)
class Huber(Problem):
    """A quadratic that turns into a line: convex, not strongly, L = 1.

    Args:
        slope: Slope of the line, which begins at this distance from 0.
    """

    slope: float = 1.0

    def height(self, x):
        """Returns `r²/2` or, from `r = slope` on, the line; see `Problem`."""
        r = jnp.sqrt(jnp.sum(jnp.square(x), -1))
        line = self.slope * (r - self.slope / 2)
        return jnp.where(r <= self.slope, jnp.square(r) / 2, line)

    def gradient(self, x):
        """Returns `min(1, slope/r) · x`; see `Problem`."""
        r = jnp.sqrt(jnp.sum(jnp.square(x), -1, keepdims=True))
        return jnp.minimum(1.0, self.slope / jnp.maximum(r, 1e-300)) * x


@dataclasses.dataclass(frozen=True)
class DoubleWell(Problem):
    """`f(x) = Σ (x²/2 + cos(2x)/2) − f*`: not convex, L = 3, two minima."""

    def height(self, x):
        """Returns the height above both minima; see `Problem`."""
        lowest = self._one(jnp.asarray(_MINIMUM))
        return jnp.sum(self._one(x) - lowest, -1)

    def gradient(self, x):
        """Returns `x − sin(2x)`; see `Problem`."""
        return x - jnp.sin(2 * x)

    def _one(self, x):
        return jnp.square(x) / 2 + jnp.cos(2 * x) / 2


# Where x = sin(2x), found by Newton's method.
_MINIMUM = 0.9477471335169905
