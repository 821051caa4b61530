"""Takes a thousand runs of the pure step at once, and each by itself, on JAX.

How far apart the values of the two are, by the way that they have gone, and
whether the updates are the same.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from keras_clip.step import start
from keras_clip.step import take
from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS

RUNS, STEPS, RATE = 1000, 5, 0.125
SHAPES = ((3,), (5,), ())
# The last of its few variants for every optimizer, and one that clips by layer.
CASES = (
    *((e.name, e.few[-1]) for e in ENROLMENTS.values()),
    ("clip_adam", "layer,adaptive,delay=1,decay"),
)


def trajectory(settings):
    """Returns a function of gradients: values and scalars after all steps."""
    values = [jnp.ones(shape) for shape in SHAPES]

    def step(kept, gradients):
        return take(settings, *kept, gradients, RATE), ()

    def run(gradients):
        kept = values, start(settings, values)
        (moved, state), _ = jax.lax.scan(step, kept, gradients)
        return moved, state.scalars

    return run


def distance(together, alone):
    """Returns how far apart two arrays of runs are, by the way they went."""
    return float(jnp.abs(together - alone).max() / jnp.abs(alone - 1).max())


def main():
    """Returns what is found, by optimizer and variant."""
    # Which takes half of the time.
    jax.config.update("jax_disable_most_optimizations", True)
    rng = np.random.default_rng(0)
    gradients = [
        jnp.asarray(rng.standard_t(1.5, (RUNS, STEPS, *shape)), "float32")
        for shape in SHAPES
    ]
    # One that no step is taken by.
    gradients[0] = gradients[0].at[7, 2, 1].set(jnp.nan)
    result = {}
    for name, variant in CASES:
        arguments = {**ENROLMENTS[name].variants[variant], "monitor": True}
        run = trajectory(KERAS.optimizer(name, **arguments).step_settings)
        together, scalars = jax.jit(jax.vmap(run))(gradients)
        # One after the other, in a loop of JAX.
        values, own = jax.jit(partial(jax.lax.map, run))(gradients)
        result[name, variant] = {
            "distances": list(map(distance, together, values)),
            "same": all(
                np.array_equal(getattr(scalars, key), getattr(own, key))
                for key in ("update_count", "skipped_steps")
            ),
            "skipped": int(scalars.skipped_steps.sum()),
        }
    return result
