"""Two workers of MultiWorkerMirroredStrategy against one on whole batches."""

import contextlib
import json
import pickle
import socket
import time

import numpy as np
import pytest

from tests.support.programs.launch import CALL
from tests.support.programs.launch import start_module
from tests.support.shared_code import both_kinds
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow

PROGRAM = "tests.support.programs.workers"
WORKERS = 2
SECONDS = 300


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """Returns what each worker finds, in separate processes."""
    folder = tmp_path_factory.mktemp("workers")
    files = [folder / f"{index}.pickle" for index in range(WORKERS)]
    ends = _run(files)
    if any("Could not start gRPC server" in log for _, log in ends):
        # Another process took one of the ports.
        ends = _run(files)
    for code, log in ends:
        assert code == 0, log[-4000:]
    return [pickle.loads(file.read_bytes()) for file in files]


def _run(files):
    """Runs all workers, at most for `SECONDS`; returns codes and logs."""
    cluster = {"worker": _free_addresses()}
    workers, codes = [], [None]
    try:
        for index, file in enumerate(files):
            task = {"type": "worker", "index": index}
            config = json.dumps({"cluster": cluster, "task": task})
            file.write_bytes(pickle.dumps((PROGRAM, "main", (config,))))
            workers.append(start_module(CALL, file, backend="tensorflow"))
        end = time.monotonic() + SECONDS
        # One that fails makes the others wait for ever.
        while None in codes and not any(codes) and time.monotonic() < end:
            time.sleep(0.1)
            codes = [worker.poll() for worker in workers]
    finally:
        for worker in workers:
            worker.kill()
    logs = ["".join(worker.communicate()) for worker in workers]
    return [(w.returncode, log) for w, log in zip(workers, logs, strict=True)]


def _free_addresses():
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(WORKERS)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]


@both_kinds
@pytest.mark.parametrize("front_end", ["keras", "tf_keras"])
def test_two_workers_equal_one_on_the_whole_batch(found, front_end, enrolment):
    """tf_keras in `fit`, Keras 3 in a loop, which accumulates micro-batches."""
    kinds = [worker[enrolment.name, front_end] for worker in found]
    one = kinds[0]["one"]
    first, second = (each["here"] for each in kinds)
    assert one["update_count"] > 0
    assert one["gradient_norm"] > 0.25
    assert same_bits([*first.values()], [*second.values()])
    without = {"iteration"} if front_end == "keras" else set()
    for name in one.keys() - without:
        np.testing.assert_allclose(
            first[name], one[name], rtol=1e-5, atol=1e-6, err_msg=name
        )
