"""Steps variables of two replicas outside of their strategy's scope.

Usage: python -m tests.support.programs.outside_scope FILE.npz
"""

import sys

import numpy as np
import tensorflow as tf

from keras_clip.on_tensorflow.groups import SMALLEST_COMPILED_SIZE
from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.programs.replicated import two_replicas

# One that is updated on its own, in place where the rule can be, and two that
# are updated together.
SHAPES = ((200, 200), (5,), ())
assert np.prod(SHAPES[0]) >= SMALLEST_COMPILED_SIZE


def copies(strategy, optimizer, variables):
    """Yields name and copies of each model variable and of each slot."""
    kept = [*variables, *sum(optimizer._slots, [])]
    for place, variable in enumerate(kept):
        values = strategy.experimental_local_results(variable.value)
        yield f"{place}", np.stack([value.numpy() for value in values])


def main(path):
    strategy = two_replicas()
    result = {}
    for name in ENROLMENTS:
        for mode in ("eager", "graph"):
            with strategy.scope():
                variables = KERAS.variables([np.ones(s) for s in SHAPES])
                optimizer = KERAS.optimizer(name, learning_rate=0.125)
                optimizer.build(variables)
            gradients = [tf.fill(shape, 0.5) for shape in SHAPES]

            def step(optimizer=optimizer, gradients=gradients):
                optimizer.apply(gradients)

            step = tf.function(step) if mode == "graph" else step
            for _ in range(2):
                step()
            for key, value in copies(strategy, optimizer, variables):
                result[f"{name}/{mode}/{key}"] = value
    np.savez(path, **result)


if __name__ == "__main__":
    main(sys.argv[1])
