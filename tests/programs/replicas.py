"""Trains one model on one replica and on two, on halves of the same batches.

Usage: python -m tests.programs.replicas FRONT_END NAME JIT_COMPILE FILE

The file holds the weights before training as `before_0`, …, after training on
one replica as `one_0`, …, on two as `two_0`, …, and the optimizers' states as
`one_state_0`, ….
"""

import sys

import numpy as np
import tensorflow as tf

from tests.front_ends import KERAS
from tests.front_ends import TF_KERAS
from tests.models import data
from tests.models import dense_model

# A clip that always binds, on norms that differ between the halves.
ARGUMENTS = {
    "learning_rate": 0.125,
    "global_clipnorm": 0.25,
    "weight_decay": 0.25,
    "monitor": True,
}


def main(front_end, name, jit_compile, path):
    """Trains both and writes what came out."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * 2
    )
    front_end = {"keras": KERAS, "tf_keras": TF_KERAS}[front_end]
    arrays = {}
    for label, count in (("one", 1), ("two", 2)):
        strategy = tf.distribute.MirroredStrategy(
            [f"/cpu:{index}" for index in range(count)]
        )
        with strategy.scope():
            optimizer = front_end.optimizer(
                name, jit_compile=jit_compile == "True", **ARGUMENTS
            )
            model = dense_model(front_end, optimizer)
        before = model.get_weights()
        x, targets = data()
        # Gradients of the two halves are of opposite sign and unequal size.
        targets[::16] *= -8
        model.fit(x, targets, batch_size=16, epochs=3, shuffle=False, verbose=0)
        state = front_end.state(optimizer)
        for prefix, values in (
            ("before", before),
            (label, model.get_weights()),
            (f"{label}_state", state),
        ):
            for index, value in enumerate(values):
                arrays[f"{prefix}_{index}"] = value
    np.savez(path, **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
