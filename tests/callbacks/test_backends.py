"""The callbacks do on other backends and on replicas what they do on one.

What a program has written is compared with what the same functions give here.
"""

import functools
import json

import numpy as np
import pytest

from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.monitored import assert_are_scalars
from tests.support.monitored import assert_equal
from tests.support.monitored import assert_read_alike
from tests.support.programs import averaging
from tests.support.programs import monitoring
from tests.support.programs import own_steps
from tests.support.programs.launch import run_program
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow

other_backends = pytest.mark.parametrize("backend", ["jax", "torch"])


@pytest.fixture(scope="module")
def monitored(tmp_path_factory):
    """Returns the folder that the program has filled, by its arguments."""

    @functools.cache
    def monitored(*arguments, backend):
        folder = tmp_path_factory.mktemp("monitored")
        printed = run_program("monitoring", folder, *arguments, backend=backend)
        (folder / "printed").write_text(printed)
        return folder

    return monitored


@pytest.fixture(scope="module")
def expected_readings(tmp_path_factory):
    """Returns what one replica reads on TensorFlow, by the front end."""
    return functools.cache(
        lambda front_end: monitoring.monitored(
            front_end, tmp_path_factory.mktemp("expected")
        )
    )


@pytest.fixture(scope="module")
def expected_switching():
    """Returns how trainings go with monitoring, by the front end."""
    return functools.cache(
        lambda front_end: monitoring.switched_on(
            front_end,
            lambda: front_end.optimizer("acclip", monitor=True),
            compared=False,
        )
    )


@pytest.fixture(scope="module")
def expected_averages():
    """Returns the averages of one replica on TensorFlow, by the front end."""
    return functools.cache(averaging.averages)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """Returns what training by steps of one's own gives, by the backend."""

    @functools.cache
    def own(backend):
        if backend == "tensorflow":
            return own_steps.trained()
        file = tmp_path_factory.mktemp("own") / "file.json"
        run_program("own_steps", file, backend=backend)
        return json.loads(file.read_text("utf-8"))

    return own


@other_backends
def test_readings_on_other_backends_are_those_on_tensorflow(
    backend, monitored, expected_readings
):
    """And none of it, TensorBoard's file included, needs TensorFlow there."""
    folder = monitored(backend=backend)
    assert (folder / "printed").read_text().split() == ["False"]
    readings = _assert_readings_are(expected_readings(KERAS), folder)
    assert [each["step"] for each in readings] == [2, 5, 7, 9, 12, 14]
    assert_are_scalars(readings, folder / "events")


@both_front_ends
def test_readings_on_two_replicas_are_those_on_one(
    front_end, monitored, expected_readings
):
    folder = monitored(front_end.name, backend="tensorflow")
    _assert_readings_are(expected_readings(front_end), folder)


def _assert_readings_are(expected, folder):
    actual = json.loads((folder / "readings.json").read_text("utf-8"))
    assert_equal(actual["readings"], expected["readings"])
    assert_equal([actual["history"]], [expected["history"]])
    return actual["readings"]


@other_backends
def test_monitoring_is_switched_on_on_other_backends(
    backend, monitored, expected_switching
):
    """Without a word, and weights are those of a training without it."""
    steps = {"jax": 0, "torch": 8}[backend]
    folder = monitored(backend=backend)
    _assert_switched_on(expected_switching(KERAS), folder, [steps, steps])


@both_front_ends
def test_monitoring_is_switched_on_on_two_replicas(
    front_end, monitored, expected_switching
):
    folder = monitored(front_end.name, backend="tensorflow")
    _assert_switched_on(expected_switching(front_end), folder, [0, 0])


def _assert_switched_on(expected, folder, traces):
    result = json.loads((folder / "switched.json").read_text("utf-8"))
    assert result["same"] == [True] * 4
    assert_read_alike(result, expected)
    assert result["traces"][1] > 0
    assert result["traces"][2:] == traces


@other_backends
def test_own_steps_on_other_backends_are_read_as_on_tensorflow(backend, own):
    readings = own(backend)["readings"]
    assert len(readings) == 8
    assert_equal(readings, own("tensorflow")["readings"])


@other_backends
def test_own_steps_on_other_backends_are_averaged_as_on_tensorflow(
    backend, own
):
    _assert_close(own(backend)["averages"], own("tensorflow")["averages"])
    refused = own(backend)["refused"]
    assert len(refused) == 2
    for message in refused:
        assert message.startswith("`optimizer` must be the optimizer that")


@other_backends
def test_averages_on_other_backends_are_those_on_tensorflow(
    backend, tmp_path, expected_averages
):
    run_program("averaging", tmp_path / "averages.npz", backend=backend)
    _assert_written(tmp_path / "averages.npz", expected_averages(KERAS))


@both_front_ends
def test_averages_on_two_replicas_are_those_on_one(
    front_end, tmp_path, expected_averages
):
    path = tmp_path / "averages.npz"
    run_program("averaging", path, front_end.name, backend="tensorflow")
    _assert_written(path, expected_averages(front_end))


def _assert_written(path, expected):
    with np.load(path) as arrays:
        _assert_close([arrays[name] for name in sorted(arrays)], expected)


def _assert_close(actual, expected):
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-5, atol=1e-6)


def test_training_on_jax_goes_on_after_a_report_on_the_noise(tmp_path):
    run_program("noise_callback", tmp_path / "weights.npz", backend="jax")
    with np.load(tmp_path / "weights.npz") as arrays:
        assert int(arrays["reports"]) == 3
        with_reports = [arrays[f"with-{i}"] for i in range(4)]
        without = [arrays[f"without-{i}"] for i in range(4)]
    assert same_bits(with_reports, without)
