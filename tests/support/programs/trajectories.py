"""Writes where twenty steps of every enrolled optimizer lead, on any backend.

Usage: python -m tests.support.programs.trajectories FILE.npz
"""

import sys

import keras_clip  # noqa: F401

TENSORFLOW_CAME_WITH_THE_PACKAGE = "tensorflow" in sys.modules

import keras  # noqa: E402
import numpy as np  # noqa: E402

from tests.support.enrolment import ENROLMENTS  # noqa: E402
from tests.support.front_ends import KERAS  # noqa: E402
from tests.support.gradients import SHAPES  # noqa: E402
from tests.support.gradients import heavy_tailed_gradients  # noqa: E402
from tests.support.gradients import parameters  # noqa: E402

KERAS_ARGUMENTS = {
    "plain": {},
    "clipnorm": {"clipnorm": 0.5},
    "clipvalue": {"clipvalue": 0.5},
    "global_clipnorm": {"global_clipnorm": 0.5},
    "ema": {
        "use_ema": True,
        "ema_momentum": 0.5,
        "ema_overwrite_frequency": 6,
    },
    "accumulation": {"gradient_accumulation_steps": 4},
    "loss scale": {"loss_scale_factor": 8.0},
}


def runs():
    """Yields the key of every run, the optimizer's name and its arguments."""
    for enrolment in ENROLMENTS.values():
        for variant in enrolment.few:
            arguments = enrolment.variants[variant]
            yield f"{enrolment.name}/{variant}", enrolment.name, arguments
        for key, arguments in KERAS_ARGUMENTS.items():
            arguments = {"learning_rate": 0.125, **arguments}
            yield f"{enrolment.name}/{key}", enrolment.name, arguments


def bad_gradients():
    """Returns the gradients, two of them not finite."""
    gradients = heavy_tailed_gradients()
    gradients[3][0][1, 1] = np.nan
    gradients[5][1][:] = np.inf
    return gradients


def gradients_in_turns(shapes=SHAPES):
    """Returns gradients of which each variable lacks some; one joins late."""
    result = heavy_tailed_gradients(shapes)
    last = len(shapes) - 1
    for step, gradients in enumerate(result):
        for index in range(last):
            if step % 4 == index:
                gradients[index] = None
        if step < 7:
            gradients[last] = None
    return result


def stepper(optimizer, variables):
    """Returns what steps by a list of gradients.

    Without `jit`, JAX compiles the branches of Keras' own conditions anew at
    every step (keras 3.15.1).
    """
    branches = optimizer.use_ema or optimizer.gradient_accumulation_steps
    if keras.backend.backend() != "jax" or not branches:
        return lambda gradients: KERAS.apply(optimizer, gradients, variables)

    import jax

    optimizer.build(variables)
    apply = jax.jit(optimizer.stateless_apply)

    def step(gradients):
        kept = (variables, optimizer.variables)
        x, state = ([v.value for v in some] for some in kept)
        gradients = [np.asarray(g, "float32") for g in gradients]
        for some, values in zip(kept, apply(state, gradients, x), strict=True):
            for variable, value in zip(some, values, strict=True):
                variable.assign(value)

    return step


def path_of(name, arguments, gradients):
    """Returns an array of shape `(steps + 1, parameters)`."""
    optimizer = KERAS.optimizer(name, **arguments)
    variables = KERAS.variables(parameters())
    step = stepper(optimizer, variables)
    rows = [np.concatenate([x.ravel() for x in KERAS.values(variables)])]
    for gradient in gradients:
        step(gradient)
        values = KERAS.values(variables)
        rows.append(np.concatenate([x.ravel() for x in values]))
    return np.stack(rows)


def paths():
    """Returns the path of every run, and of every one with bad gradients."""
    result = {}
    for key, name, arguments in runs():
        gradients = heavy_tailed_gradients()
        result[key] = path_of(name, arguments, gradients)
        if key.endswith(("/plain", "/global_clipnorm")):
            result[f"{key}, bad"] = path_of(name, arguments, bad_gradients())
    for enrolment in ENROLMENTS.values():
        for variant in enrolment.few:
            result[f"{enrolment.name}/{variant}, in turns"] = path_of(
                enrolment.name,
                enrolment.variants[variant],
                gradients_in_turns(),
            )
    return result


def main(file):
    """Writes the paths and which libraries were loaded on the way."""
    result = paths()
    np.savez(
        file,
        backend=keras.backend.backend(),
        tensorflow_came_with_the_package=TENSORFLOW_CAME_WITH_THE_PACKAGE,
        tensorflow_came_with_the_steps="tensorflow" in sys.modules,
        **result,
    )


if __name__ == "__main__":
    main(sys.argv[1])
