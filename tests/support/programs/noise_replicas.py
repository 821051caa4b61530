"""Samples the noise of models that two replicas train.

Usage: python -m tests.support.programs.noise_replicas

Prints the greatest relative difference to a model outside of the strategy, for
Keras 3, and how a model is refused within its scope, and one of tf_keras.
"""

import keras
import numpy as np
import tensorflow as tf

from keras_clip import noise
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.models import data
from tests.support.models import dense_model


def main():
    (cpu,) = tf.config.list_physical_devices("CPU")
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * 2
    )
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    one = dense_model(KERAS, keras.optimizers.SGD())
    with strategy.scope():
        both = dense_model(KERAS, keras.optimizers.SGD())
        old = dense_model(TF_KERAS, "sgd")
    arguments = {"batch_size": 4, "num_samples": 20, "verbose": 0}
    expected, actual = (
        noise.sample(model, *data(), **arguments).noise_norms
        for model in (one, both)
    )
    print(np.max(np.abs(actual / expected - 1)))
    try:
        noise.sample(old, *data(), **arguments)
    except ValueError as error:
        print(error)
    with strategy.scope():
        try:
            noise.sample(both, *data(), **arguments)
        except ValueError as error:
            print(error)


if __name__ == "__main__":
    main()
