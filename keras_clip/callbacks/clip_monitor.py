"""ClipMonitor for Keras 3."""

import keras

from keras_clip.callbacks.base_clip_monitor import BaseClipMonitor


class ClipMonitor(BaseClipMonitor, keras.callbacks.Callback):
    """Callback that reads how the optimizer clips, and may stop training.

    Every `interval` steps of an epoch and at its end it reads from the device:

    - `step`: the number of updates so far.
    - `gradient_norm`: the norm of the last step's gradient before clipping.
    - `clip_threshold`: the threshold of the last update. It is left out if it
      is not one number: with `clip_threshold=None`, with arrays, with a
      threshold that follows the norm of each variable, and for ACClip.
    - `clip_fraction`: the share of steps, variables or coordinates clipped,
      the mean over all updates since the last reading; NaN if there was none.
    - `skipped_steps`: the number of steps skipped so far.

    No other step waits for the device. With several steps per execution, a
    reading is taken after the execution in which it is due. There is no reading
    if there was no update and no skipped step since the last one.

    The logs of an epoch contain the means of its finite readings of
    `gradient_norm` and `clip_threshold`, the mean `clip_fraction` over its
    updates, and `skipped_steps`. The history and the progress bar show them,
    and so do `CSVLogger` and `TensorBoard` if they come after this in the list
    of callbacks.

    When training starts, the callback sets the optimizer's `monitor` to `True`,
    which may cost a pass over the gradients, and the model's steps are traced
    again if they were traced without monitoring. The setting stays in
    `get_config()`, in a saved model and in later trainings. It does not change
    the weights. A step inside of another traced function is not traced again;
    there is a warning if nothing can be read from it.

    There is also a warning if the first 1,000 updates of a training clipped
    nothing, or everything, with the sizes of gradients and threshold and a
    better number. There is no such warning for ACClip, which finds its
    threshold, with `clip_threshold=None`, in a threshold's warm-up, and if
    Keras clips first.

    The callback reads the optimizers inside of a `LossScaleOptimizer` or a
    `MultiOptimizer`, if they belong to this package. With several of them, all
    names but `step`, their largest, begin with the name of the optimizer and a
    `/`, and the first reading is taken once each of them has taken a step.

    Args:
        interval: Positive integer, the number of steps from one reading to the
            next. Defaults to `100`.
        per_layer: Whether to read, for each variable by its path, also
            `gradient_norm/<path>`, of the last step, and
            `clip_fraction/<path>`, of the last update. They do not go into the
            logs. Defaults to `False`.
        log_dir: Path of a local folder or `None`. Readings are written there as
            scalars for TensorBoard, under `clipping/`. This needs only the
            package `tensorboard`, on any backend. Defaults to `None`.
        csv_path: Path of a file or `None`. Every reading becomes a row of it;
            a resumed training appends to it. Defaults to `None`.
        stop_after: Positive integer or `None`. Training stops when a reading,
            every `interval` steps, finds that this many steps in a row were
            skipped. Steps that a `LossScaleOptimizer` leaves out count if there
            was no other since the last reading. Defaults to `None`.
        optimizer: Optimizer or list of optimizers to read, for a model with a
            `train_step` that uses others than `model.optimizer`. Defaults to
            `None`: `model.optimizer`.

    Attributes:
        readings: List of dicts from names to numbers, of all trainings.
        stopped: The reason why the last training was stopped, or `None`.

    Raises:
        ValueError: If an argument is out of its range. When training starts,
            if the optimizer is not of this package or has `clip_per_replica`.
            Before the second step, if the file at `csv_path` has other columns.
            After the first epoch, if an optimizer has taken no step.
        ImportError: If `log_dir` is given and `tensorboard` is not installed.

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
