"""Trains two kinds of optimizers on JAX in two processes, and in one.

Each process has two devices and every other example. Data and, in a second
distribution, variables are split over all four devices.
"""

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils

from tests.support.front_ends import KERAS
from tests.support.programs.shards import CLIP
from tests.support.shared_code import KINDS

PROCESSES = 2
DEVICES = 4
BATCH_SIZE = 16


def examples():
    """Returns inputs and targets whose gradients differ much."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(48, 4)).astype("float32")
    targets = x @ rng.normal(size=(4, 2)).astype("float32")
    targets[::4] *= -8
    return x, targets


def data_parallel():
    """Returns a distribution that splits batches."""
    return keras.distribution.DataParallel(auto_shard_dataset=False)


def model_parallel():
    """Returns a distribution that splits batches and variables."""
    mesh = keras.distribution.DeviceMesh(
        (PROCESSES, DEVICES // PROCESSES), ("batch", "model"), jax.devices()
    )
    layouts = keras.distribution.LayoutMap(mesh)
    layouts["model/first/kernel"] = (None, "model")
    layouts["model/second/kernel"] = ("model", None)
    return keras.distribution.ModelParallel(
        layout_map=layouts, batch_dim_name="batch", auto_shard_dataset=False
    )


def fitted(name, share, batch_size):
    """Returns the variables of a model trained on a share of the data."""
    keras.utils.set_random_seed(0)
    optimizer = KERAS.optimizer(name, **CLIP)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, activation="tanh", name="first"),
            keras.layers.Dense(2, name="second"),
        ],
        name="model",
    )
    model.compile(optimizer=optimizer, loss="mse")
    x, targets = (array[share] for array in examples())
    fit = {"batch_size": batch_size, "epochs": 2, "shuffle": False}
    model.fit(x, targets, verbose=0, **fit)
    variables = [*model.trainable_variables, *optimizer.variables]
    return {v.path: v.value for v in variables}


def main(address, index):
    """Returns arrays by optimizer and distribution.

    Args:
        address: Where the first process listens.
        index: Number of this process.
    """
    jax.config.update("jax_num_cpu_devices", DEVICES // PROCESSES)
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    keras.distribution.initialize(address, PROCESSES, index)
    assert jax.device_count() == DEVICES
    share = slice(index, None, PROCESSES)
    result = {}
    for name in KINDS:
        for distribute in (data_parallel, model_parallel):
            with distribute().scope():
                here = fitted(name, share, BATCH_SIZE // PROCESSES)
            result[name, distribute.__name__] = {
                path: multihost_utils.process_allgather(value, tiled=True)
                for path, value in here.items()
            }
        if not index:
            one = fitted(name, slice(None), BATCH_SIZE)
            result[name, "one"] = {k: np.asarray(v) for k, v in one.items()}
    return result
