"""GradientNoise for Keras 3."""

import keras

from keras_clip.callbacks.base_gradient_noise import BaseGradientNoise


class GradientNoise(BaseGradientNoise, keras.callbacks.Callback):
    """Callback that reports on the gradient noise every few epochs.

    At the parameters that an epoch ends with, it does what
    `keras_clip.noise.sample` and `keras_clip.noise.report` do: the model, its
    seeds and its optimizer stay as they are, and training goes on as without
    it. Its logs have `noise_tail_index`, Hill's estimate; below 2 the noise has
    no variance.

    The loss is that which the model's `compute_loss` returns. Its own
    `train_step` may train by another, of which there is a warning.

    Args:
        x: Arrays of inputs or a data set, as for `keras_clip.noise.sample`.
        y: Arrays of targets; `None` with a data set. Defaults to `None`.
        every: Int, epochs from one report to the next. Defaults to `1`.
        directory: Where each report is written, as JSON and PNG, with the
            samples, and at the end of training how they have changed. Defaults
            to `None`: nowhere; see `reports`.
        verbose: `0` or `1`, whether to print a line a report: the verdict and
            the recommended optimizer. Defaults to `1`.
        **sampling: `batch_size`, `num_samples` and more of
            `keras_clip.noise.sample`.

    Attributes:
        reports: Dict from epochs, counted from 1, to the report after each of
            the last training, with those that it goes on from.

    Raises:
        ValueError: If `every` is no positive integer; when training starts, if
            the model's loss needs a `y` that is not given; at the first report,
            if there is anything else that `keras_clip.noise.sample` refuses.
        ImportError: If SciPy is not installed or, with a `directory`,
            matplotlib.

    Example:

    >>> import numpy as np
    >>> model = keras.Sequential([keras.layers.Input((2,)),
    ...                           keras.layers.Dense(1)])
    >>> model.compile(optimizer=keras_clip.GClip(), loss="mse")
    >>> x = np.random.default_rng(0).normal(size=(256, 2))
    >>> callback = keras_clip.callbacks.GradientNoise(
    ...     x, x[:, :1], batch_size=8, num_samples=100, verbose=0)
    >>> _ = model.fit(x, x[:, :1], verbose=0, callbacks=[callback])
    >>> [len(report.samples) for report in callback.reports.values()]
    [100]

    References:
        - [Zhang et al., 2020](https://arxiv.org/abs/1912.03194), figure 2
    """
