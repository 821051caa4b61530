"""Says that something which takes long still goes on."""

import contextlib
import datetime
import sys
import threading
import time
from typing import TextIO

# Seconds between two lines.
_INTERVAL = 30.0


class Heartbeat:
    """Context that says what is done, at once and then every half a minute.

    The later lines tell for how long it has gone on, and how far it has come
    where `reached` is called. They come from a thread, so that what itself says
    nothing may run within.

    Args:
        what: What is done.
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
        """Says what is done.

        Returns:
            This.
        """
        self._say(self._what)
        self._start = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Says nothing any more."""
        self._over.set()
        self._thread.join()

    def reached(self, how_far: str) -> None:
        """Stores how far it has come, for the next line.

        Args:
            how_far: What is done by now.
        """
        self._how_far = how_far

    def _beat(self):
        while not self._over.wait(self._interval):
            seconds = round(time.monotonic() - self._start)
            how_far = f"{self._how_far}, " if self._how_far else ""
            elapsed = datetime.timedelta(seconds=seconds)
            self._say(f"{self._what}: {how_far}{elapsed} so far")

    def _say(self, line):
        # Who reads may have gone.
        with contextlib.suppress(OSError):
            print(line, file=self._stream, flush=True)
