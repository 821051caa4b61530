"""Compiles rules with JAX, and keeps a few of them compiled."""

import functools
from collections.abc import Callable

import jax

from keras_clip.rules.rule import Rule


@functools.lru_cache(maxsize=16)
def _compiled(rule: Rule) -> Callable:
    # A new function per rule: JAX frees its compiled code together with it.
    return jax.jit(
        functools.partial(Rule.__call__, rule), static_argnames="weight_decay"
    )


def compiled_call(rule: Rule, *arguments, weight_decay: float):
    """Runs `Rule.__call__` as a compiled function.

    Optimizers with the same hyperparameters share the function. It is freed
    once sixteen others are compiled, so that a search over hyperparameters does
    not fill the memory.

    Args:
        rule: The rule.
        *arguments: See `Rule.__call__`.
        weight_decay: See `Rule.__call__`.
    """
    return _compiled(rule)(*arguments, weight_decay=weight_decay)
