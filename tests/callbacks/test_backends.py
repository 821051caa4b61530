"""The callbacks do on other backends and on replicas what they do on one."""

import functools

import numpy as np
import pytest

from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.monitored import assert_are_scalars
from tests.support.monitored import assert_equal
from tests.support.monitored import assert_switched_on
from tests.support.programs import callbacks
from tests.support.programs.launch import result_of

pytestmark = pytest.mark.slow

BACKENDS = ["jax", "torch"]
ELSEWHERE = {
    **{backend: (KERAS, backend, False) for backend in BACKENDS},
    "replicas, keras": (KERAS, "tensorflow", True),
    "replicas, tf_keras": (TF_KERAS, "tensorflow", True),
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Returns what the callbacks give, and where TensorBoard's file is."""

    @functools.cache
    def trained(front_end, backend="tensorflow", is_replicated=False):
        folder = tmp_path_factory.mktemp("events")
        arguments = (front_end, folder, is_replicated)
        result = result_of(callbacks.trained, *arguments, backend=backend)
        return {"events": folder, **result}

    return trained


@pytest.fixture(scope="module", params=ELSEWHERE.values(), ids=ELSEWHERE)
def both(request, trained):
    """Returns what is given there, and on one replica on TensorFlow."""
    return trained(*request.param), trained(request.param[0])


def test_readings_are_those_of_one_replica_on_tensorflow(both):
    (readings, logs), (expected, expected_logs) = (
        each["monitored"] for each in both
    )
    assert [each["step"] for each in readings] == [2, 5, 7, 9, 12, 14]
    assert_equal(readings, expected)
    assert_equal([logs], [expected_logs])


def test_monitoring_is_switched_on(both):
    watched, plain = both[0]["switched on"]
    expected, _ = both[1]["switched on"]
    # Nothing is traced on torch.
    steps = 8 if both[0]["backend"] == "torch" else 0
    assert_switched_on(watched, plain, expected, steps)


def test_averages_are_those_of_one_replica_on_tensorflow(both):
    _assert_close(*(each["averages"] for each in both))


def _assert_close(actual, expected):
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("backend", BACKENDS)
def test_nothing_needs_tensorflow_and_tensorboard_reads_it(backend, trained):
    result = trained(KERAS, backend)
    assert not result["needs TensorFlow"]
    assert_are_scalars(result["monitored"][0], result["events"])


@pytest.mark.parametrize("backend", BACKENDS)
def test_own_steps_are_read_and_averaged_as_on_tensorflow(backend, trained):
    readings, averages = trained(KERAS, backend)["own steps"]
    expected_readings, expected_averages = trained(KERAS)["own steps"]
    assert len(readings) == 8
    assert_equal(readings, expected_readings)
    _assert_close(averages, expected_averages)
    for message in trained(KERAS, backend)["refused"]:
        assert message.startswith("`optimizer` must be the optimizer that")
