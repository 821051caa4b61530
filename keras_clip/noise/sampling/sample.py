"""Samples the gradient noise of a model at fixed parameters."""

import keras

from keras_clip.noise.sampling.batches import batches_of
from keras_clip.noise.sampling.keras_gradients import KerasGradients
from keras_clip.noise.sampling.noise_samples import NoiseSamples
from keras_clip.noise.sampling.passes import sample_gradients
from keras_clip.noise.sampling.sampling_options import SamplingOptions
from keras_clip.noise.sampling.tf_keras_gradients import TfKerasGradients


def sample(
    model,
    x,
    y=None,
    sample_weight=None,
    *,
    batch_size: int | None = None,
    num_samples: int = 1000,
    full_gradient_batches: int | None = None,
    per_layer: bool = False,
    num_projections: int = 4,
    training: bool = True,
    seed: int = 0,
    verbose: int | str = "auto",
) -> NoiseSamples:
    """Samples the noise of mini-batch gradients at the model's parameters.

    ```
    ∇f        = Σ |batch| · g(batch) / Σ |batch|     over all of the data
    samples   : ‖g − ∇f‖, ‖g‖, ⟨v, g − ∇f⟩           of random mini-batches
    ```

    The gradients are those of the compiled loss, before any clipping. A first
    pass computes the full gradient `∇f`, a second one compares mini-batches
    with it, so that memory only grows by a few numbers per sample. The model,
    its seeds and its optimizer do not change. SciPy is not needed, but there is
    a warning if it is missing for a report.

    In float16 the gradients are those of a scaled loss, divided by the scale.
    The scale is first that of training, then for each batch one that avoids
    overflow. A mini-batch whose gradient is not finite at any scale is left
    out. If its data are finite, it may have been the largest: a report says so,
    and does not estimate the tail.

    Args:
        model: A compiled model of Keras 3 or tf_keras.
        x: Data that `fit` accepts: arrays of inputs, or a data set that yields
            batches. Arrays are NumPy arrays, tensors of any backend, sparse
            and ragged ones too, data frames and series of pandas, sparse
            matrices of SciPy, and lists and dicts of them. A data set is a
            `tf.data.Dataset`, a `keras.utils.PyDataset`, a `Sequence` of
            tf_keras, a `DataLoader` of torch, a list of tuples, or an iterator.
            A data set of unknown length is read to its end.
        y: Arrays of targets; `None` with a data set, which contains them.
            Defaults to `None`.
        sample_weight: Arrays of weights, or `None`. Defaults to `None`.
        batch_size: Int, examples in a mini-batch of arrays, as in training.
            Defaults to `None`: 32.
        num_samples: Int, the number of mini-batches to sample. Defaults to
            `1000`.
        full_gradient_batches: Int, the number of batches that `∇f` is estimated
            from. Defaults to `None`: all batches of a finite data set, which is
            exact, and `num_samples` of an infinite one.
        per_layer: Whether to store the norms of each variable too. Defaults to
            `False`.
        num_projections: Int, the number of random directions that the noise is
            projected on. Each of them takes as much memory as the model.
            Defaults to `4`.
        training: Whether layers run as in training, with dropout and the
            statistics of the batch. Defaults to `True`: the noise that an
            optimizer receives.
        seed: Int, the seed of mini-batches of arrays and of directions.
            Defaults to `0`.
        verbose: `0`, `1` or `"auto"`, whether to show progress. Defaults to
            `"auto"`: shown.

    Returns:
        Samples.

    Raises:
        ValueError: If an argument is out of its range, the model is not
            compiled or has nothing to train, its loss needs a `y` and none is
            given, the data have another type or no batch, no batch has a finite
            gradient, or all batches have the same gradient.

    Example:

    >>> import numpy as np
    >>> from keras_clip import noise
    >>> model = keras.Sequential([keras.layers.Input((2,)),
    ...                           keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x = np.random.default_rng(0).normal(size=(256, 2))
    >>> samples = noise.sample(model, x, x[:, :1], batch_size=8, verbose=0)
    >>> len(samples), samples.exact
    (1000, True)

    References:
        - [Zhang et al., 2020](https://arxiv.org/abs/1912.03194), section 2
    """
    options = SamplingOptions(
        num_samples=num_samples,
        full_gradient_batches=full_gradient_batches,
        per_layer=per_layer,
        num_projections=num_projections,
        training=training,
        seed=seed,
        verbose=verbose,
    )
    batches = batches_of(x, y, sample_weight, batch_size, seed)
    return sample_gradients(_gradients_of(model, training), batches, options)


def _gradients_of(model, training):
    """Returns the gradients of a model after checking that it is compiled."""
    bases = type(model).__mro__
    if isinstance(model, keras.Model):
        gradients = KerasGradients
    elif any(base.__module__.startswith("tf_keras.") for base in bases):
        gradients = TfKerasGradients
    else:
        raise ValueError(
            "`model` must be a model of Keras 3 or tf_keras. "
            f"Received: model={model!r}"
        )
    if getattr(model, "optimizer", None) is None:
        raise ValueError(
            "`model` must be compiled, with the loss to take gradients of. "
            f"Received: model={model!r}, which is not"
        )
    return gradients(model, training)
