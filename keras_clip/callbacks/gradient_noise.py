"""GradientNoise for Keras 3."""

import keras

from keras_clip.callbacks.base_gradient_noise import BaseGradientNoise


class GradientNoise(BaseGradientNoise, keras.callbacks.Callback):
    """Callback that reports on the gradient noise every few epochs.

    At the end of an epoch it runs `keras_clip.noise.sample` and
    `keras_clip.noise.report`. The model, its seeds and its optimizer do not
    change, and neither does training. The logs contain `noise_tail_index`,
    Hill's estimate; below 2 the noise has no variance.

    The loss is the one that the model's `compute_loss` returns. There is a
    warning if a custom `train_step` may use another.

    Args:
        x: Arrays of inputs or a data set, as for `keras_clip.noise.sample`.
        y: Arrays of targets; `None` with a data set. Defaults to `None`.
        every: Int, epochs from one report to the next. Defaults to `1`.
        directory: Folder for each report, as JSON and PNG, its samples, and a
            plot of all reports at the end of training. Defaults to `None`:
            nothing is written; see `reports`.
        verbose: `0` or `1`, whether to print a line per report with the verdict
            and the recommended optimizer. Defaults to `1`.
        **sampling: Arguments of `keras_clip.noise.sample`, such as `batch_size`
            and `num_samples`.

    Attributes:
        reports: Dict from epochs, counted from 1, to the reports of the last
            training and of those that it resumed.

    Raises:
        ValueError: If an option is unknown or out of its range; when training
            starts, if the model's loss needs a `y` and none is given. Data that
            give no report are only warned of, after the epoch.
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
