"""Runs several processes that wait for one another, on this machine."""

import contextlib
import pathlib
import pickle
import socket
import tempfile
import time
from collections.abc import Callable
from collections.abc import Sequence

from tests.support.programs.launch import CALL
from tests.support.programs.launch import start_module

SECONDS = 300
# Another process took one of the ports (TensorFlow 2.20, jaxlib 0.10).
_TAKEN = ("Could not start gRPC server", "Failed to add port to server")


def results_together(
    name: str,
    processes: int,
    arguments: Callable[[Sequence[str], int], tuple],
    backend: str,
) -> list:
    """Returns what the `main` of a program returns in each process.

    Args:
        name: Name of the program.
        processes: Number of processes.
        arguments: Callable from free addresses, as many as processes, and the
            number of a process to the arguments of its `main`.
        backend: Backend of Keras.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = [
            pathlib.Path(folder) / f"{index}.pickle"
            for index in range(processes)
        ]
        module = f"tests.support.programs.{name}"
        ends = _run(files, module, arguments, backend)
        if any(text in log for _, log in ends for text in _TAKEN):
            ends = _run(files, module, arguments, backend)
        for code, log in ends:
            assert code == 0, log[-4000:]
        return [pickle.loads(file.read_bytes()) for file in files]


def _run(files, module, arguments, backend):
    """Runs all processes, at most for `SECONDS`; returns codes and logs."""
    addresses = _free_addresses(len(files))
    programs, codes = [], [None]
    try:
        for index, file in enumerate(files):
            call = (module, "main", arguments(addresses, index))
            file.write_bytes(pickle.dumps(call))
            programs.append(start_module(CALL, file, backend=backend))
        end = time.monotonic() + SECONDS
        # One that fails makes the others wait for ever.
        while None in codes and not any(codes) and time.monotonic() < end:
            time.sleep(0.1)
            codes = [program.poll() for program in programs]
    finally:
        for program in programs:
            program.kill()
    logs = ["".join(program.communicate()) for program in programs]
    return [(p.returncode, log) for p, log in zip(programs, logs, strict=True)]


def _free_addresses(number):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]
