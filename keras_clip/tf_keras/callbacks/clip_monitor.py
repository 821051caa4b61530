"""ClipMonitor for tf_keras."""

import tf_keras

from keras_clip.callbacks.base_clip_monitor import BaseClipMonitor


class ClipMonitor(BaseClipMonitor, tf_keras.callbacks.Callback):
    """Callback that reads how the optimizer clips, and may stop training.

    The same as `keras_clip.callbacks.ClipMonitor`, for models of tf_keras. It
    also sets the optimizer's `monitor` to `True` when training starts.

    Args:
        interval: Positive integer, the number of steps from one reading to the
            next. Defaults to `100`.
        per_layer: Whether to read the numbers of each variable too. Defaults to
            `False`.
        log_dir: Path of a local folder for TensorBoard, or `None`. Defaults to
            `None`.
        csv_path: Path of a CSV file, or `None`. Defaults to `None`.
        stop_after: Number of steps skipped in a row after which training stops,
            or `None`. Defaults to `None`.
        optimizer: Optimizer or list of optimizers to read, for a model with a
            `train_step` that uses others than `model.optimizer`. Defaults to
            `None`: `model.optimizer`.

    Raises:
        ValueError: As `keras_clip.callbacks.ClipMonitor`.
        ImportError: If `log_dir` is given and `tensorboard` is not installed.

    Example:

    >>> import numpy as np
    >>> import tf_keras
    >>> import keras_clip.tf_keras
    >>> model = tf_keras.Sequential([tf_keras.layers.Input((2,)),
    ...                              tf_keras.layers.Dense(1)])
    >>> optimizer = keras_clip.tf_keras.GClip(clip_threshold=0.5)
    >>> model.compile(optimizer=optimizer, loss="mse")
    >>> monitor = keras_clip.tf_keras.callbacks.ClipMonitor(interval=2)
    >>> history = model.fit(np.ones((32, 2)), 5 * np.ones((32, 1)),
    ...                     batch_size=8, verbose=0, callbacks=[monitor])
    >>> [reading["step"] for reading in monitor.readings]
    [2, 4]
    """
