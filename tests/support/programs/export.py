"""Lowers every enrolled optimizer's update for accelerators, on JAX."""

import jax
import jax.export
import jax.numpy as jnp

from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.gradients import parameters

PLATFORMS = ("tpu", "cuda")


def exported(name, arguments):
    """Returns `stateless_apply` of one optimizer, exported for `PLATFORMS`."""
    optimizer = KERAS.optimizer(name, **arguments)
    variables = KERAS.variables(parameters())
    optimizer.build(variables)
    values = [v.value for v in variables]
    state = [v.value for v in optimizer.variables]
    gradients = [jnp.ones_like(value) for value in values]
    update = jax.jit(optimizer.stateless_apply)
    return jax.export.export(update, platforms=PLATFORMS)(
        state, gradients, values
    )


def main():
    """Returns the platforms and the size of every update."""
    result = {}
    for name, enrolment in ENROLMENTS.items():
        last = enrolment.few[-1]
        variants = {
            last: enrolment.variants[last],
            "monitored": {"monitor": True, "global_clipnorm": 1.0},
        }
        for key, arguments in variants.items():
            update = exported(name, arguments)
            size = len(update.mlir_module_serialized)
            result[f"{name}/{key}"] = update.platforms, size
    return result
