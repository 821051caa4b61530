"""Reads files, compressed or not, and writes them atomically."""

import bz2
import contextlib
import glob
import gzip
import io
import json
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterator
from collections.abc import Sequence

from command_line.errors import InputError

_OPENERS = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_BROKEN = (EOFError, OSError, UnicodeDecodeError, lzma.LZMAError, zlib.error)


def find(argument: str, patterns: Sequence[str]) -> list[str]:
    """Returns the files that match patterns.

    Args:
        argument: Name of the command line's argument, for the error.
        patterns: Paths, which may contain `*`, `?`, `[]` and `**`.

    Returns:
        Paths in the order of the patterns, sorted for each pattern.

    Raises:
        InputError: If a pattern matches no file.
    """
    found = []
    for pattern in patterns:
        paths = [pattern]
        if not os.path.isfile(pattern):
            paths = sorted(glob.glob(pattern, recursive=True))
        paths = [path for path in paths if os.path.isfile(path)]
        if not paths:
            raise InputError(
                f"`{argument}` must name files that exist. "
                f"Received: {argument}={pattern}"
            )
        found += paths
    return found


def find_one(argument: str, pattern: str) -> str:
    """Returns the one file that matches a pattern.

    Args:
        argument: Name of the command line's argument, for the error.
        pattern: Path, which may contain `*`, `?`, `[]` and `**`.

    Returns:
        Its path.

    Raises:
        InputError: If the pattern matches no file or several.
    """
    paths = find(argument, [pattern])
    if len(paths) > 1:
        raise InputError(
            f"`{argument}` must name one file, not {len(paths)}. "
            f"Received: {argument}={pattern}"
        )
    return paths[0]


@contextlib.contextmanager
def open_text(argument: str, path: str) -> Iterator[io.TextIOBase]:
    """Opens a UTF-8 text file: plain, `.gz`, `.bz2`, `.xz`, or `.zip` of one.

    Args:
        argument: Name of the command line's argument, for the error.
        path: The file.

    Yields:
        The text, to be read within the context.

    Raises:
        InputError: If the file cannot be read as UTF-8 text.
    """
    suffix = os.path.splitext(path)[1].lower()
    try:
        if suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                (name,) = archive.namelist()
                with _open_member(archive, name) as file:
                    yield io.TextIOWrapper(file, encoding="utf-8")
        else:
            opener = _OPENERS.get(suffix, open)
            with opener(path, "rt", encoding="utf-8") as file:
                yield file
    except (*_BROKEN, zipfile.BadZipFile, ValueError) as error:
        raise InputError(
            f"`{argument}` must name UTF-8 text, plain, .gz, .bz2, .xz, or "
            f".zip of one file: {_one_line(error)}. "
            f"Received: {argument}={path}"
        ) from error


def read_json(argument: str, path: str) -> object:
    """Returns the contents of a JSON file.

    Args:
        argument: Name of the command line's argument, for the error.
        path: The file, compressed or not.

    Returns:
        The parsed JSON.

    Raises:
        InputError: If there is no such file, or it is not JSON, or a name
            occurs twice in an object.
    """
    path = find_one(argument, path)
    with open_text(argument, path) as file:
        text = file.read()
    try:
        return json.loads(text, object_pairs_hook=_object)
    except (RecursionError, ValueError) as error:
        raise InputError(
            f"`{argument}` must name a JSON file: {_one_line(error)}. "
            f"Received: {argument}={path}"
        ) from error


def check_output(argument: str, path: str) -> None:
    """Checks that a file can be written, before its contents are computed.

    Args:
        argument: Name of the command line's argument, for the error.
        path: The file to write.

    Raises:
        InputError: If it is a directory, or its directory does not exist.
    """
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path) or not os.path.isdir(folder):
        raise InputError(
            f"`{argument}` must be a file in a directory that exists. "
            f"Received: {argument}={path}"
        )


def make_directory(argument: str, path: str) -> None:
    """Makes a directory of this machine, unless it exists.

    Args:
        argument: Name of the command line's argument, for the error.
        path: The directory.

    Raises:
        InputError: If it cannot be made.
    """
    if "://" in path:
        raise InputError(
            f"`{argument}` must be a directory of this machine, or mounted on "
            f"it. Received: {argument}={path}"
        )
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"`{argument}` must be a directory that can be written: "
            f"{error.strerror}. Received: {argument}={path}"
        ) from error


@contextlib.contextmanager
def whole(path: str) -> Iterator[str]:
    """Yields a partial file's path, which is renamed to `path` at the end.

    Args:
        path: The file to write.

    Yields:
        Path of a partial file, in the same directory.
    """
    partial = f"{path}.partial"
    yield partial
    os.replace(partial, path)


def write_json(path: str, value: object) -> None:
    """Writes a JSON file atomically.

    Args:
        path: The file to write.
        value: The value to write.
    """
    with whole(path) as partial:
        with open(partial, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=2)
            file.write("\n")


def _open_member(archive, name):
    try:
        return archive.open(name)
    except RuntimeError as error:
        # Encrypted, or compressed in a way that Python does not support.
        raise ValueError(str(error)) from error


def _object(pairs):
    """Returns the dict of a JSON object, in which no name is repeated."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise ValueError(f"{twice!r} is there twice")
    return found


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
