"""Runs down a noisy quadratic with clipping and without, on JAX."""

import jax
import keras
import numpy as np
from jax import numpy as jnp

from tests.support import heavy_tails
from tests.support.front_ends import KERAS


def heights(optimizer, rates, noise):
    """Returns the heights at the end, of shape (learning rates, seeds)."""
    variables = KERAS.variables(heavy_tails.start())
    optimizer.build(variables)
    x, state = (
        [variable.value for variable in these]
        for these in (variables, optimizer.variables)
    )
    place = [v.path for v in optimizer.variables].index(
        optimizer._learning_rate.path
    )
    curvatures = jnp.asarray(heavy_tails.CURVATURES, "float32")

    def flat(x):
        return jnp.concatenate([array.ravel() for array in x])

    def step(carried, noise):
        x, state = carried
        gradients = heavy_tails.in_shapes(curvatures * flat(x) + noise)
        return optimizer.stateless_apply(state, gradients, x), None

    def run(rate, noise):
        before = [*state[:place], rate, *state[place + 1 :]]
        (after, _), _ = jax.lax.scan(step, (x, before), noise)
        return jnp.sum(curvatures * flat(after) ** 2) / 2

    over_seeds = jax.vmap(run, (None, 0))
    over_both = jax.jit(jax.vmap(over_seeds, (0, None)))
    return np.asarray(over_both(jnp.asarray(rates, "float32"), noise))


def main():
    """Returns the heights at the end of all cases.

    They have the shape (learning rates, seeds).
    """
    # Which takes half of the time.
    jax.config.update("jax_disable_most_optimizations", True)
    rates = heavy_tails.RATES
    noise = jnp.asarray(heavy_tails.stable_noise(), "float32")
    spike = jnp.asarray(heavy_tails.spike(), "float32")
    result = {}
    for key, (_, case) in heavy_tails.CASES.items():
        own = [case.arguments["learning_rate"]]
        clipped = heavy_tails.clipped_optimizer(key)
        result[f"{key}, clipped"] = heights(clipped, own, noise)
        unclipped = heavy_tails.unclipped_optimizer(key)
        result[f"{key}, unclipped"] = heights(unclipped, rates, noise)
        if key in ("clip_adagrad", "clip_adagrad_norm"):
            result[f"{key}, clipped spike"] = heights(clipped, own, spike)
            result[f"{key}, unclipped spike"] = heights(unclipped, own, spike)
    unscaled = KERAS.optimizer("acclip", step_scaling=None)
    result["ACClip without scaling"] = heights(unscaled, rates, noise)
    adam = keras.optimizers.Adam(beta_2=0.99)
    result["Adam"] = heights(adam, rates, noise)
    return result
