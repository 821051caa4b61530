"""Reports at intervals that a long operation is still running."""

import contextlib
import datetime
import sys
import threading
import time
from typing import TextIO

# Seconds between two lines.
_INTERVAL = 30.0


class Heartbeat:
    """Context that prints the name of an operation, and repeats it regularly.

    The later lines contain the elapsed time, and the progress if `reached` is
    called. They are printed by a thread, so that the operation need not print
    anything.

    Args:
        what: Name of the operation.
        interval: Seconds between two lines. Defaults to 30.
        stream: Where to print, standard error by default.
    """

    def __init__(
        self,
        what: str,
        interval: float = _INTERVAL,
        stream: TextIO | None = None,
    ) -> None:
        self._what = what
        self._how_far = ""
        self._interval = interval
        self._stream = stream or sys.stderr
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._start = time.monotonic()

    def __enter__(self) -> "Heartbeat":
        """Prints the name of the operation.

        Returns:
            The context.
        """
        self._say(self._what)
        self._start = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops printing."""
        self._over.set()
        self._thread.join()

    def reached(self, how_far: str) -> None:
        """Stores the progress for the next line.

        Args:
            how_far: The progress so far.
        """
        self._how_far = how_far

    def _beat(self):
        while not self._over.wait(self._interval):
            seconds = round(time.monotonic() - self._start)
            how_far = f"{self._how_far}, " if self._how_far else ""
            elapsed = datetime.timedelta(seconds=seconds)
            self._say(f"{self._what}: {how_far}{elapsed} so far")

    def _say(self, line):
        # The reader of the stream may have exited.
        with contextlib.suppress(OSError):
            print(line, file=self._stream, flush=True)
