"""Compares sparse gradients of JAX and torch with their dense sums."""

import keras
import numpy as np

from tests.support.front_ends import KERAS
from tests.support.trajectories import same_bits

ROWS, WIDTH, STEPS = 6, 3, 4
# Those of JAX but the first are compiled.
WAYS = {
    "eager": {},
    "stateless": {},
    "accumulated": {"gradient_accumulation_steps": 2},
    "scaled": {"loss_scale_factor": 8.0},
    "in a loss scale": {},
}
WAYS_ON = {"jax": list(WAYS), "torch": ["eager", "accumulated", "scaled"]}


def pairs():
    """Yields indices, one of them twice, and values with exact sums."""
    rng = np.random.default_rng(5)
    for _ in range(STEPS):
        indices = rng.integers(0, ROWS, 3)
        indices = np.append(indices, indices[0])
        yield indices, rng.integers(1, 9, (4, WIDTH)) / 4.0


def dense(indices, values):
    """Returns the sum of some rows, of the shape of all."""
    gradient = np.zeros((ROWS, WIDTH), "float32")
    np.add.at(gradient, indices, values)
    return gradient


def _sparse(indices, values):
    values = values.astype("float32")
    if keras.backend.backend() == "torch":
        import torch

        where, values = torch.tensor(indices[None]), torch.tensor(values)
        return torch.sparse_coo_tensor(where, values, (ROWS, WIDTH))
    import jax

    return jax.experimental.sparse.BCOO(
        (jax.numpy.asarray(values), jax.numpy.asarray(indices)[:, None]),
        shape=(ROWS, WIDTH),
    )


def _end(way, make):
    """Returns where variables and state end by gradients of one make."""
    inner = optimizer = KERAS.optimizer(
        "clip_adam_norm", learning_rate=0.125, **WAYS[way]
    )
    if way == "in a loss scale":
        optimizer = keras.optimizers.LossScaleOptimizer(inner, 8.0)
    variables = KERAS.variables([np.ones((ROWS, WIDTH)), np.ones(2)])
    optimizer.build(variables)
    compiled = keras.backend.backend() == "jax" and way != "eager"
    if compiled:
        import jax

        apply = jax.jit(optimizer.stateless_apply)
    for pair in pairs():
        gradients = [make(*pair), np.float32([0.5, -2.0])]
        if not compiled:
            KERAS.apply(optimizer, gradients, variables)
            continue
        kept = (variables, optimizer.variables)
        x, state = ([v.value for v in some] for some in kept)
        for some, values in zip(kept, apply(state, gradients, x), strict=True):
            for variable, value in zip(some, values, strict=True):
                variable.assign(value)
    return KERAS.values(variables) + KERAS.state(optimizer)


def main():
    """Returns, by the way to step, whether both ends are equal."""
    return {
        way: same_bits(_end(way, _sparse), _end(way, dense))
        for way in WAYS_ON[keras.backend.backend()]
    }
