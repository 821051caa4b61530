"""Trains two kinds of optimizers on four devices, and on one for comparison.

Of each case the model and the state of the optimizer are known after training
on `"one"` device, after training on `"four"`, and the shape of the `"shard"`
that one device has of each of them.
"""

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


def main():
    """Returns arrays by optimizer and distribution, by kind and by name."""
    jax.config.update("jax_num_cpu_devices", DEVICES)
    result = {}
    for name in KINDS:
        one = _read(fitted(name))
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
            result[name, distribute.__name__] = {
                "one": one,
                "four": _read(four),
                "shard": shards,
            }
    return result


def _read(values):
    return {key: np.asarray(value) for key, value in values.items()}
