"""Steps variables of two replicas outside of their strategy's scope."""

import numpy as np
import tensorflow as tf

from keras_clip.on_tensorflow.groups import SMALLEST_COMPILED_SIZE
from tests.support.front_ends import KERAS

# One that is updated on its own, in place where the rule can be, and two that
# are updated together.
SHAPES = ((200, 200), (5,), ())
assert np.prod(SHAPES[0]) >= SMALLEST_COMPILED_SIZE

# The first writes its slots in place, the second all, the third nothing.
ARGUMENTS = {"acclip": {}, "clip_adam_norm": {}, "clip_adam": {"delay": 1}}


def stepped(strategy, name, mode):
    """Returns copies by kind: of each variable and slot on both replicas."""
    arguments = {"learning_rate": 0.125, **ARGUMENTS[name]}
    with strategy.scope():
        variables = KERAS.variables([np.ones(shape) for shape in SHAPES])
        optimizer = KERAS.optimizer(name, **arguments)
        optimizer.build(variables)
    gradients = [tf.fill(shape, 0.5) for shape in SHAPES]

    def step():
        optimizer.apply(gradients)

    step = tf.function(step) if mode == "graph" else step
    for _ in range(2):
        step()
    kept = [*variables, *sum(optimizer._slots, [])]
    first, second = zip(
        *(strategy.experimental_local_results(v.value) for v in kept),
        strict=True,
    )
    return {
        kind: {str(place): x.numpy() for place, x in enumerate(values)}
        for kind, values in (("first", first), ("second", second))
    }
