"""Two workers of MultiWorkerMirroredStrategy against one on whole batches."""

import contextlib
import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from tests.support.programs.launch import ROOT
from tests.support.shared_code import both_kinds
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow

WORKERS = 2
SECONDS = 300


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Returns what each worker writes, in separate processes."""
    folder = tmp_path_factory.mktemp("workers")
    paths = [folder / f"{index}.npz" for index in range(WORKERS)]
    logs = _run(paths)
    if any("Could not start gRPC server" in log for log in logs):
        # Another process took one of the ports.
        logs = _run(paths)
    result = []
    for path, log in zip(paths, logs, strict=True):
        assert path.exists(), log[-4000:]
        with np.load(path) as arrays:
            result.append(dict(arrays))
    return result


def _run(paths):
    """Runs all workers, at most for `SECONDS`, and returns their logs."""
    addresses = _free_addresses()
    logs = [path.with_suffix(".log") for path in paths]
    processes = []
    try:
        for index, (path, log) in enumerate(zip(paths, logs, strict=True)):
            processes.append(_start(addresses, index, path, log))
        for process in processes:
            # One that fails makes the others wait for ever.
            if process.wait(timeout=SECONDS):
                break
    except subprocess.TimeoutExpired:
        pass
    finally:
        for process in processes:
            process.kill()
            process.wait()
    return [log.read_text() for log in logs]


def _free_addresses():
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(WORKERS)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{each.getsockname()[1]}" for each in sockets]


def _start(addresses, index, path, log):
    cluster = {"worker": addresses}
    task = {"type": "worker", "index": index}
    with open(log, "w") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.support.programs.workers", str(path)],
            cwd=ROOT,
            env={
                **os.environ,
                "KERAS_BACKEND": "tensorflow",
                "TF_CONFIG": json.dumps({"cluster": cluster, "task": task}),
            },
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def _kind(file, enrolment, front_end, kind):
    start = f"{enrolment.name}/workers/{front_end}/{kind}/"
    return {
        key.removeprefix(start): value
        for key, value in file.items()
        if key.startswith(start)
    }


@both_kinds
@pytest.mark.parametrize("front_end", ["keras", "tf_keras"])
def test_two_workers_equal_one_on_the_whole_batch(files, front_end, enrolment):
    """tf_keras in `fit`, Keras 3 in a loop, which accumulates micro-batches."""
    one = _kind(files[0], enrolment, front_end, "one")
    first, second = (
        _kind(file, enrolment, front_end, "here") for file in files
    )
    assert one["update_count"] > 0
    assert one["gradient_norm"] > 0.25
    assert same_bits([*first.values()], [*second.values()])
    without = {"iteration"} if front_end == "keras" else set()
    for name in one.keys() - without:
        np.testing.assert_allclose(
            first[name], one[name], rtol=1e-5, atol=1e-6, err_msg=name
        )
