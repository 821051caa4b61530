"""Compares the steps of RMSProp with those of the clipping that it resembles.

In the first paper's discussion, with `v` before the gradient g:

    η = a / (ε + √(β₂ v))    τ = (ε + √(β₂ v)) / √(1 − β₂)
    h_clip = min(1, τ/|g|) · η    ½ h_clip ≤ h_rmsprop ≤ h_clip
"""

import functools

import jax
from jax import numpy as jnp

from experiments.high_probability.noise_laws import Pareto
from keras_clip import clipping
from keras_clip.rules.clip_adam import ClipAdamRule

RUNS, STEPS = 10_000, 1_000
RATE, EPSILON = 0.01, 1e-7


@functools.cache
def extremes(beta_2: float) -> tuple[float, float]:
    """Returns the least and the greatest `h_rmsprop / h_clip` of all steps.

    The runs are those of the package's rule on the second paper's quadratic.

    Args:
        beta_2: Decay rate of the second moment.
    """
    rule = ClipAdamRule(beta_1=0.0, beta_2=beta_2, epsilon=EPSILON)
    law = Pareto(1.5)
    key = jax.random.key(0)

    def step(k, carried):
        x, v, low, high = carried
        noise = law.draw(jax.random.fold_in(key, k), k, (RUNS, 1))[:, 0]
        g = x + noise
        before = jnp.zeros_like(x), v
        after = rule.moments(g, before, RATE)
        h = rule.step(g, before, after, RATE, jnp.float64(k), ())
        # The rule corrects its bias by the rate.
        a = RATE * jnp.sqrt(1 - beta_2**k)
        root = EPSILON + jnp.sqrt(beta_2 * v)
        clip = a / root * clipping.clip_by_value(g, root / (1 - beta_2) ** 0.5)
        ratio = h / clip
        return (
            x - h,
            after[1],
            jnp.minimum(low, ratio),
            jnp.maximum(high, ratio),
        )

    start = [jnp.full(RUNS, value) for value in (2.0, 0.0, jnp.inf, -jnp.inf)]
    run = jax.jit(lambda: jax.lax.fori_loop(1, STEPS + 1, step, tuple(start)))
    _, _, low, high = run()
    return float(low.min()), float(high.max())
