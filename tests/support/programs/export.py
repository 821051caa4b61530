"""Lowers every enrolled optimizer's update for accelerators, on JAX.

Usage: python -m tests.support.programs.export

Prints a line `NAME/VARIANT PLATFORM SIZE` for each lowered update.
"""

import jax
import jax.export
import jax.numpy as jnp

from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.gradients import parameters


def exported(name, arguments, platform):
    """Returns the exported `stateless_apply` of one optimizer."""
    optimizer = KERAS.optimizer(name, **arguments)
    variables = KERAS.variables(parameters())
    optimizer.build(variables)
    values = [v.value for v in variables]
    state = [v.value for v in optimizer.variables]
    gradients = [jnp.ones_like(value) for value in values]
    update = jax.jit(optimizer.stateless_apply)
    return jax.export.export(update, platforms=[platform])(
        state, gradients, values
    )


def main():
    """Exports every enrolled optimizer for every platform."""
    for name, enrolment in ENROLMENTS.items():
        variants = {key: enrolment.variants[key] for key in enrolment.few}
        variants["monitored"] = {"monitor": True, "global_clipnorm": 1.0}
        for key, arguments in variants.items():
            for platform in ("tpu", "cuda"):
                update = exported(name, arguments, platform)
                size = len(update.mlir_module_serialized)
                print(f"{name}/{key}", *update.platforms, size, sep="\t")


if __name__ == "__main__":
    main()
