"""Returns where twenty steps of every optimizer lead, on any backend."""

import functools

import keras
import numpy as np

from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.gradients import SHAPES
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.shared_code import KINDS

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


def _runs():
    """Yields the key of every run, the optimizer's name and its arguments."""
    for enrolment in ENROLMENTS.values():
        for variant in enrolment.few:
            arguments = enrolment.variants[variant]
            yield f"{enrolment.name}/{variant}", enrolment.name, arguments
    name = "clip_adam_norm"
    for key, arguments in KERAS_ARGUMENTS.items():
        yield f"{name}/{key}", name, {"learning_rate": 0.125, **arguments}


RUNS = {key: (name, arguments) for key, name, arguments in _runs()}
# By the variant, a bad gradient stops a coordinate, a variable or the step.
BAD = [
    *(f"{e.name}/{e.few[-1]}" for e in ENROLMENTS.values()),
    "clip_adam_norm/plain",
    "clip_adam_norm/global_clipnorm",
    "clip_adam/layer,adaptive,delay=1,decay",
]
IN_TURNS = [
    *(f"{e.name}/{e.few[1]}" for e in KINDS.values()),
    "clip_adam/layer,adaptive,delay=1,decay",
]
# By the name of a path its run and what makes its gradients.
PATHS = {
    **{key: (key, heavy_tailed_gradients) for key in RUNS},
    **{f"{key}, bad": (key, bad_gradients) for key in BAD},
    **{f"{key}, in turns": (key, gradients_in_turns) for key in IN_TURNS},
}


@functools.cache
def _compiled(key):
    """Returns the step of a run as JAX compiles it, and its first values.

    It is one of values: other gradients need no program of their own.
    """
    import jax

    name, arguments = RUNS[key]
    optimizer = KERAS.optimizer(name, **arguments)
    variables = KERAS.variables(parameters())
    optimizer.build(variables)
    x, state = (
        [v.value for v in some] for some in (variables, optimizer.variables)
    )
    return jax.jit(optimizer.stateless_apply), x, state


def _positions(key, gradients):
    """Yields the variables before and after every step."""
    whole = all(g is not None for step in gradients for g in step)
    if keras.backend.backend() == "jax" and whole:
        apply, x, state = _compiled(key)
        yield x
        for step in gradients:
            x, state = apply(state, [np.float32(g) for g in step], x)
            yield x
        return
    name, arguments = RUNS[key]
    optimizer = KERAS.optimizer(name, **arguments)
    variables = KERAS.variables(parameters())
    yield KERAS.values(variables)
    for step in gradients:
        KERAS.apply(optimizer, step, variables)
        yield KERAS.values(variables)


@functools.cache
def path_of(name):
    """Returns one of `PATHS`, of shape `(steps + 1, parameters)`."""
    key, make_gradients = PATHS[name]
    return np.stack(
        [
            np.concatenate([np.ravel(x) for x in xs])
            for xs in _positions(key, make_gradients())
        ]
    )


def main():
    """Returns all paths."""
    return {name: path_of(name) for name in PATHS}
