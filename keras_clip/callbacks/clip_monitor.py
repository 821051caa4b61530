"""ClipMonitor for Keras 3."""

import keras

from keras_clip.callbacks.base_clip_monitor import BaseClipMonitor


class ClipMonitor(BaseClipMonitor, keras.callbacks.Callback):
    """Callback that reads how the optimizer clips, and may stop training.

    Every `interval` steps of an epoch and at its end it reads from the device:

    - `step`: the number of updates made.
    - `gradient_norm`: the norm of the last step's gradient before clipping.
    - `clip_threshold`: the number that the last update clipped at. It is left
      out where there is not one: with `clip_threshold=None`, with arrays, with
      a threshold that follows the norm of each variable, and for ACClip.
    - `clip_fraction`: the share of steps, variables or coordinates clipped,
      the mean over all updates since the last reading; NaN if there was none.
    - `skipped_steps`: the number of steps skipped so far.

    No other step waits for the device. With several steps an execution a
    reading is taken between two executions, once it is due, and none where
    nothing has happened since the last one: no update, no skipped step.

    The logs of an epoch get the mean of its readings of the first two, of those
    that are finite, the mean `clip_fraction` over its updates, and
    `skipped_steps`. The history and the progress bar show them, and so do
    `CSVLogger` and `TensorBoard` if they come after this in the list of
    callbacks.

    When training starts it sets the optimizer's `monitor` to `True`, which may
    cost a pass over the gradients, and has the model's steps traced again if
    they were traced without. It stays so: in `get_config()`, in a saved model
    and in later trainings. The weights are those of a training without this. A
    step that is part of a function of your own is not traced again; there is a
    warning if nothing can be read of it.

    There is a warning too if the first 1,000 updates of a training clipped
    nothing, or everything: it says what the gradients and the threshold are,
    and a better number. There is none for ACClip, which finds its own
    threshold, with `clip_threshold=None`, in a threshold's warm-up, and where
    Keras' own clipping comes first.

    A `LossScaleOptimizer` is looked into. So is a `MultiOptimizer`, where
    others than those of this package are left out. If several are read, all
    names but `step`, then the largest of theirs, begin with the optimizer's and
    a `/`; the first reading is taken once each has made a step.

    Args:
        interval: Positive integer, the number of steps from one reading to the
            next. Defaults to `100`.
        per_layer: Whether to read, for each variable by its path, also
            `gradient_norm/<path>`, of the last step, and
            `clip_fraction/<path>`, of the last update. They do not go into the
            logs. Defaults to `False`.
        log_dir: Path of a local folder or `None`. Readings are written there as
            TensorBoard's scalars, under `clipping/`, by the package
            `tensorboard` alone, on any backend. Defaults to `None`.
        csv_path: Path of a file or `None`. Every reading is a row of it;
            training that goes on appends to it. Defaults to `None`.
        stop_after: Positive integer or `None`. Training stops when a reading
            finds that this many steps in a row were skipped; it is looked at
            every `interval` steps. Steps that a `LossScaleOptimizer` leaves
            out count if there was no other since the last reading. Defaults to
            `None`.
        optimizer: Optimizer or list of optimizers to read, for a model with a
            `train_step` that uses others than `model.optimizer`. Defaults to
            `None`: `model.optimizer`.

    Attributes:
        readings: List of dicts from names to numbers, of all trainings.
        stopped: Why the last training was stopped, or `None`.

    Raises:
        ValueError: If an argument is out of its range. When training starts,
            if the optimizer is not of this package or has `clip_per_replica`.
            Before the second step, if the file at `csv_path` has other columns.
            After the first epoch, if an optimizer has made no step.
        ImportError: If there is a `log_dir` but no `tensorboard`.

    Example:

    >>> import numpy as np
    >>> model = keras.Sequential([keras.layers.Input((2,)),
    ...                           keras.layers.Dense(1)])
    >>> model.compile(optimizer=keras_clip.GClip(clip_threshold=0.5),
    ...               loss="mse")
    >>> monitor = keras_clip.callbacks.ClipMonitor(interval=2, stop_after=100)
    >>> history = model.fit(np.ones((32, 2)), 5 * np.ones((32, 1)),
    ...                     batch_size=8, verbose=0, callbacks=[monitor])
    >>> [reading["step"] for reading in monitor.readings]
    [2, 4]
    >>> history.history["clip_threshold"], history.history["clip_fraction"]
    ([0.5], [1.0])
    """
