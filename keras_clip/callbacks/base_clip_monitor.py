"""Takes and writes the readings of ClipMonitor, in both frameworks."""

import warnings

from keras_clip.callbacks.clip_findings import ClipFindings
from keras_clip.callbacks.csv_file import CsvFile
from keras_clip.callbacks.event_file import EventFile
from keras_clip.callbacks.event_file import check_tensorboard
from keras_clip.callbacks.optimizer_reader import clipping_optimizers
from keras_clip.callbacks.optimizer_reader import counters_of
from keras_clip.callbacks.optimizer_reader import is_built
from keras_clip.callbacks.optimizer_reader import readers_of
from keras_clip.callbacks.optimizer_reader import step_mark
from keras_clip.callbacks.retracing import remake_train_function
from keras_clip.validation import check_choice
from keras_clip.validation import check_integer
from keras_clip.validation import check_path


class BaseClipMonitor:
    """Reads the optimizer at regular intervals, as a mixin for callbacks.

    Only a reading waits for the device. With an `on_train_batch_end`, every
    step would wait, as Keras then fetches the logs of each
    (keras/src/callbacks/callback_list.py, 3.15.1). On JAX, `self.model` copies
    the state to the model's variables (callback.py), and is used for readings
    only.
    """

    def __init__(
        self,
        interval: int = 100,
        per_layer: bool = False,
        log_dir=None,
        csv_path=None,
        stop_after: int | None = None,
        optimizer=None,
    ):
        super().__init__()
        # Without it tf_keras fetches the logs of every step, for any callback
        # with a hook for batches (tf_keras/src/callbacks.py, 2.20.1).
        self._supports_tf_logs = True
        self.interval = check_integer("interval", interval, 1)
        self.per_layer = check_choice("per_layer", per_layer, (False, True))
        self.log_dir = check_path("log_dir", log_dir)
        self.csv_path = check_path("csv_path", csv_path)
        if stop_after is not None:
            stop_after = check_integer("stop_after", stop_after, 1)
        self.stop_after = stop_after
        self._optimizers = None
        if optimizer is not None:
            several = isinstance(optimizer, list | tuple)
            self._optimizers = list(optimizer) if several else [optimizer]
            self._check_optimizers(self._optimizers)
        if log_dir is not None:
            check_tensorboard()
        self.readings = []
        self.stopped = None
        self._files = []

    def on_train_begin(self, logs=None):
        """Switches the monitoring of the optimizers on."""
        self.stopped = None
        self._readers = []
        self._findings = []
        self._last = []
        self._idle_steps = 0
        self._close()
        self._starts = {}
        self._has_begun = False
        self._open()
        self._marks = [step_mark(each) for each in self._trained_with()]
        self._start_epoch()

    def on_epoch_begin(self, epoch, logs=None):
        """Starts to count the steps of an epoch."""
        if not self._has_begun:
            self._has_begun = True
            # A later callback may have restored an interrupted training.
            self._start(self._clipping_optimizers())
        self._batch = self._batch_read = None

    def on_train_batch_begin(self, batch, logs=None):
        """Takes a reading of the steps before this one, if it is due."""
        if self._batch is None:
            self._batch_read = batch
        # Most optimizers are built by the first step.
        elif not self._readers:
            self._open()
        self._batch = batch
        if batch // self.interval > self._batch_read // self.interval:
            self._read(batch - self._batch_read)
            self._batch_read = batch

    def on_epoch_end(self, epoch, logs=None):
        """Reads at the end of the epoch and adds its means to the logs."""
        if not self._readers:
            self._open()
        if self._batch is not None:
            # The last step that began may have had no data.
            self._read(self._batch - self._batch_read)
            if self._marks:
                self._check_steps()
        if logs is not None:
            logs.update(self._epoch_means())
        self._start_epoch()

    def on_train_end(self, logs=None):
        """Closes the files."""
        self._close()

    def _trained_with(self):
        """Returns the optimizers to read, or those that hold them."""
        if self._optimizers is not None:
            return self._optimizers
        return [getattr(self.model, "optimizer", None)]

    def _check_optimizers(self, optimizers):
        """Raises if an optimizer that is known by now cannot be read."""
        if not optimizers:
            raise ValueError(
                "`optimizer` must be an optimizer of `keras_clip` or a list of "
                "them. Received: optimizer=[]"
            )
        for optimizer in optimizers:
            if not _holds_unknown(optimizer):
                self._check(optimizer)

    def _check(self, optimizer):
        """Raises if all readings of an optimizer would be zero."""
        found = clipping_optimizers(optimizer)
        if not found:
            raise ValueError(
                "`optimizer` must be an optimizer of `keras_clip` for "
                "`ClipMonitor`; pass those that a custom `train_step` uses. "
                f"Received: optimizer={optimizer!r}"
            )
        for each in found:
            name = type(each).__name__
            if each.clip_per_replica:
                raise ValueError(
                    "`clip_per_replica` must be False for `ClipMonitor`: a "
                    f"{name} does not count what it clips on each replica. "
                    "Received: clip_per_replica=True"
                )
            if self.stop_after is not None and each.nonfinite != "skip":
                raise ValueError(
                    f"`stop_after` must be None for a {name} that skips no "
                    f"step, with nonfinite={each.nonfinite!r}. Received: "
                    f"stop_after={self.stop_after}"
                )

    def _check_steps(self):
        """Raises if an optimizer has taken no step in the first epoch."""
        optimizers = self._trained_with()
        for optimizer, mark in zip(optimizers, self._marks, strict=True):
            if step_mark(optimizer) == mark:
                raise ValueError(
                    "`optimizer` must be the optimizer that the model is "
                    "trained with, or a list of them: this one has taken no "
                    f"step. Received: optimizer={optimizer!r}"
                )
        self._marks = []

    def _open(self):
        """Opens the files as soon as the names of the readings are known."""
        optimizers = self._trained_with()
        self._check_optimizers(optimizers)
        found = [clipping_optimizers(optimizer) for optimizer in optimizers]
        monitored = sum(found, start=[])
        self._switch_on(monitored)
        if any(map(_holds_unknown, optimizers)):
            return
        # They may take their first steps at different steps of the training.
        if not all(any(map(is_built, group)) for group in found):
            return
        readers = readers_of(monitored, self.per_layer)
        names = ["step"]
        for reader in readers:
            names += [*reader.names, *reader.layer_names]
        if self.csv_path is not None:
            self._files.append(CsvFile(self.csv_path, names))
        if self.log_dir is not None:
            self._files.append(EventFile(self.log_dir))
        self._readers = readers
        self._count_from_starts(monitored)

    def _clipping_optimizers(self):
        """Returns the optimizers of this package to read."""
        found = map(clipping_optimizers, self._trained_with())
        return sum(found, start=[])

    def _start(self, optimizers):
        """Stores the current counters as those at the start of training."""
        for each in optimizers:
            self._starts[id(each)] = counters_of(each)
        if self._readers:
            self._count_from_starts(optimizers)

    def _count_from_starts(self, optimizers):
        """Makes the first reading cover the steps since the start."""
        built = [each for each in optimizers if is_built(each)]
        starts = [self._starts[id(each)] for each in built]
        self._last = self._epoch_before = starts
        self._findings = list(map(ClipFindings, built, starts))

    def _switch_on(self, optimizers):
        """Switches monitoring on, once a training for each optimizer."""
        new = [each for each in optimizers if id(each) not in self._starts]
        for each in new:
            each.monitor = True
            self._starts[id(each)] = counters_of(each)
        # Each of several models that share an optimizer has a train function.
        if not all(each.was_always_monitored for each in new):
            remake_train_function(self.model)

    def _close(self):
        for file in self._files:
            file.close()
        self._files = []

    def _start_epoch(self):
        self._epoch_start = len(self.readings)
        self._epoch_before = self._last

    def _read(self, steps):
        """Takes a reading, if a counter has changed in these last steps."""
        # On JAX, this copies the state to the variables.
        model = self.model
        before, now = self._last, [each.counters() for each in self._readers]
        if now == before:
            self._idle_steps += steps
        else:
            self._idle_steps = 0
            self._last = now
            reading = {"step": max(each.updates for each in now)}
            for reader, *interval in zip(
                self._readers, before, now, strict=True
            ):
                reading.update(reader.read(*interval))
            self.readings.append(reading)
            for file in self._files:
                file.write(reading)
            for findings, counters in zip(self._findings, now, strict=True):
                finding = findings.look(counters)
                if finding is not None:
                    warnings.warn(finding, stacklevel=2)
        if self.stop_after is not None and self.stopped is None:
            self._stop_if_due(model)

    def _stop_if_due(self, model):
        skipped = max((each.skipped_in_a_row for each in self._last), default=0)
        # No counter shows the steps that a `LossScaleOptimizer` leaves out, nor
        # micro-steps that only accumulate.
        optimizers = self._trained_with()
        if any(hasattr(each, "inner_optimizer") for each in optimizers):
            micro_steps = [
                getattr(each, "gradient_accumulation_steps", None) or 1
                for optimizer in optimizers
                for each in clipping_optimizers(optimizer)
            ]
            skipped += self._idle_steps // max(micro_steps, default=1)
        if skipped < self.stop_after:
            return
        update = max((each.updates for each in self._last), default=0)
        self.stopped = (
            f"Training was stopped after update {update}: the last {skipped} "
            "steps were all skipped because of gradients that are NaN or "
            "infinite. Look for NaN in the data and in the loss, or lower the "
            "learning rate."
        )
        model.stop_training = True
        warnings.warn(self.stopped, stacklevel=2)

    def _epoch_means(self):
        """Returns the numbers for the logs of this epoch."""
        readings = self.readings[self._epoch_start :]
        means = {}
        for reader, *interval in zip(
            self._readers, self._epoch_before, self._last, strict=True
        ):
            means.update(reader.mean(readings, *interval))
        return means


def _holds_unknown(optimizer):
    """Returns whether it is a `MultiOptimizer` that is not built yet."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    return hasattr(optimizer, "optimizers") and not optimizer.built
