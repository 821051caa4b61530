"""Trains two kinds of optimizers on four devices, and on one for comparison.

Usage: KERAS_BACKEND=jax python -m tests.support.programs.shards FILE.npz

For each optimizer and each case `NAME/CASE/one/…` hold the model and the state
of the optimizer after training on one device, `NAME/CASE/four/…` after training
on four, `NAME/CASE/shard/…` the shape of what one device has of each of them.
"""

import sys

import jax
import keras
import numpy as np

from tests.support.front_ends import KERAS
from tests.support.models import data
from tests.support.models import dense_model
from tests.support.shared_code import KINDS

DEVICES = 4
MICRO_BATCHES = 2
# A clip that always binds: the norm of one shard would be another.
CLIP = {"learning_rate": 0.125, "global_clipnorm": 0.25, "monitor": True}


def data_parallel():
    """Returns a distribution that splits batches."""
    return keras.distribution.DataParallel()


def model_parallel():
    """Returns a distribution that splits batches and variables."""
    mesh = keras.distribution.DeviceMesh(
        (2, DEVICES // 2), ("batch", "model"), jax.devices()
    )
    layouts = keras.distribution.LayoutMap(mesh)
    layouts["model/first/kernel"] = (None, "model")
    layouts["model/first/bias"] = ("model",)
    layouts["model/second/kernel"] = ("model", None)
    return keras.distribution.ModelParallel(
        layout_map=layouts, batch_dim_name="batch"
    )


def fitted(name, micro_batches=None):
    """Returns all variables of a trained model by name."""
    optimizer = KERAS.optimizer(
        name, gradient_accumulation_steps=micro_batches, **CLIP
    )
    model = dense_model(KERAS, optimizer)
    x, targets = data()
    # The gradients of the devices differ in sign and size.
    targets[::4] *= -8
    batch_size = 16 // (micro_batches or 1)
    fit = {"batch_size": batch_size, "epochs": 3, "shuffle": False}
    model.fit(x, targets, verbose=0, **fit)
    named = {variable.path: variable for variable in model.trainable_variables}
    named |= {variable.name: variable for variable in optimizer.variables}
    return {key.replace("/", "_"): v.value for key, v in named.items()}


def cases():
    """Yields the key and the arrays by kind of every case."""
    for name in KINDS:
        one = fitted(name)
        for distribute, micro_batches in (
            (data_parallel, None),
            (model_parallel, MICRO_BATCHES),
        ):
            with distribute().scope():
                four = fitted(name, micro_batches)
            shards = {
                key: value.sharding.shard_shape(value.shape)
                for key, value in four.items()
            }
            yield (
                f"{name}/devices/{distribute.__name__}",
                {"one": one, "four": four, "shard": shards},
            )


def main(path):
    """Writes every array of the cases under its key."""
    jax.config.update("jax_num_cpu_devices", DEVICES)
    np.savez(
        path,
        **{
            f"{key}/{kind}/{variable}": array
            for key, kinds in cases()
            for kind, arrays in kinds.items()
            for variable, array in arrays.items()
        },
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
