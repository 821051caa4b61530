"""Writes the readings of ClipMonitor to a CSV file."""

import csv
import os
from collections.abc import Sequence


class CsvFile:
    """Writes readings as rows of a CSV file, and flushes each of them.

    Args:
        path: Path of the file; rows are appended if it exists.
        names: Names of the columns.

    Raises:
        ValueError: If the file exists with other columns.
    """

    def __init__(self, path: str | os.PathLike, names: Sequence[str]):
        self._names = list(names)
        found = None
        if os.path.exists(path):
            with open(path, newline="", encoding="utf-8") as file:
                found = next(csv.reader(file), None)
        if found not in (None, self._names):
            raise ValueError(
                "`csv_path` must be a new file, or one with the columns "
                f"{self._names}. Received: csv_path={os.fspath(path)!r}, with "
                f"the columns {found}"
            )
        self._file = open(path, "a", newline="", encoding="utf-8")
        self._rows = csv.writer(self._file)
        if found is None:
            self._append(self._names)

    def write(self, reading: dict[str, float]):
        """Appends a row.

        Args:
            reading: A number for each of the names.
        """
        self._append([reading[name] for name in self._names])

    def close(self):
        """Closes the file."""
        self._file.close()

    def _append(self, row):
        self._rows.writerow(row)
        self._file.flush()
