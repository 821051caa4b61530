"""Writes the readings of ClipMonitor to an event file of TensorBoard."""

import itertools
import os
import socket
import time

_FILES_OF_THIS_PROCESS = itertools.count()


class EventFile:
    """Writes scalars for TensorBoard to a file, under `clipping/`.

    It does not use the `EventFileWriter` of `tensorboard`, which opens files by
    TensorFlow if that is installed. On another backend the import of TensorFlow
    would take seconds (tensorboard 2.20.0).

    Args:
        log_dir: Folder of the file, made if it does not exist.
    """

    def __init__(self, log_dir: str | os.PathLike):
        from tensorboard.compat.proto import event_pb2
        from tensorboard.compat.proto import summary_pb2
        from tensorboard.summary.writer.record_writer import RecordWriter

        self._event = event_pb2.Event
        self._summary = summary_pb2.Summary
        os.makedirs(log_dir, exist_ok=True)
        name = (
            f"events.out.tfevents.{int(time.time()):010d}."
            f"{socket.gethostname()}.{os.getpid()}."
            f"{next(_FILES_OF_THIS_PROCESS)}.clipping"
        )
        self._records = RecordWriter(open(os.path.join(log_dir, name), "xb"))
        self._append(file_version="brain.Event:2")

    def write(self, reading: dict[str, float]):
        """Appends a scalar for each name, all at the reading's step.

        Args:
            reading: A number for each name, and the `"step"`.
        """
        values = [
            self._summary.Value(tag=f"clipping/{name}", simple_value=value)
            for name, value in reading.items()
            if name != "step"
        ]
        self._append(step=reading["step"], summary=self._summary(value=values))

    def close(self):
        """Closes the file."""
        self._records.close()

    def _append(self, **fields):
        event = self._event(wall_time=time.time(), **fields)
        self._records.write(event.SerializeToString())
        self._records.flush()


def check_tensorboard():
    """Raises if the package that `EventFile` needs is missing.

    Raises:
        ImportError: If it is missing.
    """
    try:
        import tensorboard.summary.writer.record_writer  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "`log_dir` needs the package tensorboard: pip install tensorboard"
        ) from error
