"""Small models whose gradients NumPy knows, in either framework."""

import numpy as np


def linear_model(front_end, compiled=True, **arguments):
    """Returns a linear model with three inputs, its weights 0.5, 1, …"""
    framework = front_end.framework
    model = framework.Sequential(
        [
            framework.layers.Input((3,)),
            framework.layers.Dense(2, name="linear"),
        ]
    )
    model.set_weights(
        [0.5 * np.arange(1, 7).reshape(3, 2), np.array([0.25, -0.5])]
    )
    if compiled:
        model.compile(**{"optimizer": "sgd", "loss": "mse", **arguments})
    return model


def data(size=44, seed=0):
    """Returns inputs and targets in float32."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(size, 3))
    y = rng.standard_t(2, size=(size, 2))
    return x.astype("float32"), y.astype("float32")


def batches_of(x, y, size=8):
    """Returns a list of batches, the last as small as it is."""
    return [
        (x[start : start + size], y[start : start + size])
        for start in range(0, len(x), size)
    ]


def gradient(x, y, sample_weight=None):
    """Returns the gradients of kernel and bias of the mean squared error."""
    x, y = x.astype("float64"), y.astype("float64")
    kernel, bias = 0.5 * np.arange(1, 7).reshape(3, 2), np.array([0.25, -0.5])
    error = 2 * (x @ kernel + bias - y) / y.size
    if sample_weight is not None:
        error = error * sample_weight[:, None]
    return x.T @ error, error.sum(0)


def norm(arrays):
    """Returns the Euclidean norm over all elements."""
    return np.sqrt(sum(np.sum(np.square(array)) for array in arrays))
