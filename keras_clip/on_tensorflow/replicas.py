"""Assigns and updates variables on all replicas of a TensorFlow strategy."""

from collections.abc import Callable
from collections.abc import Sequence

import tensorflow as tf


def assign_on_replicas(
    strategy: tf.distribute.Strategy, variables: Sequence, values: Sequence
):
    """Assigns each replica's value to its copy of each variable."""

    def assign(strategy, values):
        for variable, value in zip(variables, values, strict=True):
            strategy.extended.update(
                variable,
                lambda variable, value: variable.assign(value),
                args=(value,),
                group=False,
            )

    tf.__internal__.distribute.interim.maybe_merge_call(
        assign, strategy, list(values)
    )


def update_on_replicas(
    strategy: tf.distribute.Strategy,
    update: Callable,
    variable: tf.Variable,
    arguments: Sequence,
) -> None:
    """Runs an update once for each copy of a variable, where that copy is.

    Args:
        strategy: The strategy that the variable belongs to.
        update: Callable that takes the arguments and returns nothing.
        variable: One of the variables that are updated.
        arguments: Any structure of variables and tensors of this replica. The
            update of a copy receives those that belong to it.
    """
    if not tf.distribute.has_strategy():
        update(*arguments)
        return

    def update_copies(strategy, *arguments):
        strategy.extended.update(
            variable,
            lambda copy, *arguments: update(*arguments),
            args=arguments,
            group=False,
        )

    tf.__internal__.distribute.interim.maybe_merge_call(
        update_copies, strategy, *arguments
    )


def run_on_replicas_if(condition, function: Callable, tensors: Sequence):
    """Runs `function(*tensors)` on every replica if a condition holds.

    A function that merges replicas cannot run inside of a condition on each
    replica: the condition has to enclose all of them.

    Args:
        condition: Boolean tensor, the same on every replica.
        function: Callable that returns nothing.
        tensors: List of tensors, of this replica.
    """
    if tf.__internal__.distribute.strategy_supports_no_merge_call():
        tf.cond(condition, lambda: _run(function, tensors), lambda: True)
        return

    def run_all(strategy, condition, tensors):
        condition = strategy.experimental_local_results(condition)[0]
        call = strategy.extended.call_for_each_replica
        tf.cond(
            condition, lambda: _run(call, [function, tensors]), lambda: True
        )

    tf.distribute.get_replica_context().merge_call(
        run_all, args=(condition, list(tensors))
    )


def _run(function, arguments) -> bool:
    """Calls a function and returns `True`, as the other branch does."""
    function(*arguments)
    return True
