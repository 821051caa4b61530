"""GradientNoise for tf_keras."""

import tf_keras

from keras_clip.callbacks.base_gradient_noise import BaseGradientNoise


class GradientNoise(BaseGradientNoise, tf_keras.callbacks.Callback):
    """Callback that reports on the gradient noise every few epochs.

    The same as `keras_clip.callbacks.GradientNoise`, for models of tf_keras.

    Args:
        x: Arrays of inputs or a data set, as for `keras_clip.noise.sample`.
        y: Arrays of targets; `None` with a data set. Defaults to `None`.
        every: Int, epochs from one report to the next. Defaults to `1`.
        directory: Folder for the reports. Defaults to `None`: none is written.
        verbose: `0` or `1`, whether to print a line per report with the verdict
            and the recommended optimizer. Defaults to `1`.
        **sampling: Arguments of `keras_clip.noise.sample`, such as `batch_size`
            and `num_samples`.

    Raises:
        ValueError: As `keras_clip.callbacks.GradientNoise`.
        ImportError: As `keras_clip.callbacks.GradientNoise`.
    """
