"""Small models whose gradients NumPy knows, in either framework."""

import numpy as np

from keras_clip import noise


def linear_model(front_end, compiled=True, policy=None, **arguments):
    """Returns a linear model with three inputs, its weights 0.5, 1, …"""
    layers = front_end.framework.layers
    model = front_end.framework.Sequential(
        [
            layers.Input((3,), dtype="float32"),
            layers.Dense(2, name="linear", dtype=policy),
        ]
    )
    model.set_weights(
        [0.5 * np.arange(1, 7).reshape(3, 2), np.array([0.25, -0.5])]
    )
    if compiled:
        model.compile(**{"optimizer": "sgd", "loss": "mse", **arguments})
    return model


def sample(model, *data, **options):
    """Returns samples of the noise, without a progress bar."""
    return noise.sample(model, *data, **{"verbose": 0, **options})


def data(size=44, seed=0):
    """Returns inputs and targets in float32."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(size, 3))
    y = rng.standard_t(2, size=(size, 2))
    return x.astype("float32"), y.astype("float32")


def make_samples(norms, projections=None, layers=None, **fields):
    """Returns samples with these norms of the noise.

    Args:
        norms: Array of shape (n,).
        projections: Array of shape (n, p), or `None` for none.
        layers: Norms by layer, of noise and gradients; the names are a, b, …
        **fields: Other fields of the samples.
    """
    if layers is not None:
        fields = {
            "paths": tuple("abc"[: layers.shape[1]]),
            "layer_noise_norms": layers,
            "layer_gradient_norms": layers,
            **fields,
        }
    if projections is None:
        projections = np.zeros((len(norms), 0))
    return noise.NoiseSamples(
        **{
            "noise_norms": norms,
            "gradient_norms": norms + 1.0,
            "projections": projections,
            "full_gradient_norm": 1.0,
            "full_gradient_batches": 100,
            "covers_data": True,
            "loss": 0.5,
            "batch_size": 16,
            "training": True,
            "is_random": False,
            "is_batch_dependent": False,
            "num_requested": len(norms),
            "num_nonfinite": 0,
            "full_gradient_nonfinite": 0,
            "num_partial": 0,
            "seed": 0,
            "paths": ("x",),
            **fields,
        }
    )


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


def layer_norms(batches, minus=(0.0, 0.0)):
    """Returns norms of the batches' gradients minus some, by layer."""
    return np.array(
        [
            [
                norm([a - b])
                for a, b in zip(gradient(*batch), minus, strict=True)
            ]
            for batch in batches
        ]
    )


def noise_norms(batches, x, y):
    """Returns norms of the noise of batches around the gradient of all data."""
    return np.linalg.norm(layer_norms(batches, gradient(x, y)), axis=1)
