"""Compiles rules by JAX, for a few of them at a time."""

import functools
from collections.abc import Callable

import jax

from keras_clip.rules.rule import Rule


@functools.lru_cache(maxsize=16)
def _compiled(rule: Rule) -> Callable:
    # A function of its own: what JAX compiles of it goes with it.
    return jax.jit(
        functools.partial(Rule.__call__, rule), static_argnames="weight_decay"
    )


def compiled_call(rule: Rule, *arguments, weight_decay: float):
    """Returns what `Rule.__call__` does, compiled.

    What is compiled is shared by optimizers of the same hyperparameters, and
    given back once there are sixteen others: a search over them does not grow.

    Args:
        rule: The rule.
        *arguments: See `Rule.__call__`.
        weight_decay: See `Rule.__call__`.
    """
    return _compiled(rule)(*arguments, weight_decay=weight_decay)
