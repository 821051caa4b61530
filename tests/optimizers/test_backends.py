"""The same on TensorFlow, JAX and torch; no TensorFlow where none is due."""

import functools
import importlib.util

import numpy as np
import pytest

from tests.support.enrolment import ENROLMENTS
from tests.support.enrolment import every_optimizer
from tests.support.enrolment import few_variants
from tests.support.gradients import parameters
from tests.support.programs import training
from tests.support.programs import trajectories
from tests.support.programs.launch import launch
from tests.support.programs.launch import run_program
from tests.support.trajectories import assert_close
from tests.support.trajectories import same_bits

KEYS = [key for key, _, _ in trajectories.runs()]

NEEDS_TORCH = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None,
    reason="torch is not installed: it is in the extra `torch`",
)

every_other_backend = pytest.mark.parametrize(
    "backend", ["jax", pytest.param("torch", marks=NEEDS_TORCH)]
)


@pytest.fixture(scope="module")
def paths_on(tmp_path_factory):
    """Paths as a function of the backend; each in a process of its own."""
    folder = tmp_path_factory.mktemp("paths")

    @functools.cache
    def paths(backend):
        file = folder / f"{backend}.npz"
        run_program("trajectories", file, backend=backend)
        with np.load(file) as arrays:
            result = dict(arrays)
        assert result["backend"] == backend
        return result

    return paths


def _assert_agree(paths_on, backend, key):
    actual = [[row] for row in paths_on(backend)[key]]
    expected = [[row.astype(np.float64)] for row in paths_on("tensorflow")[key]]
    assert_close(actual, expected, "float32", relative=2e-6)


@pytest.mark.parametrize("key", KEYS)
def test_twenty_steps_move_every_run(paths_on, key):
    path = paths_on("tensorflow")[key]
    assert path.shape == (21, sum(x.size for x in parameters()))
    assert np.any(path[-1] != path[0])


@pytest.mark.parametrize("key", KEYS)
@every_other_backend
def test_twenty_steps_agree_with_those_on_tensorflow(paths_on, backend, key):
    _assert_agree(paths_on, backend, key)


@every_optimizer
@every_other_backend
def test_steps_around_bad_gradients_agree_with_those_on_tensorflow(
    paths_on, backend, enrolment
):
    for key in ("plain", "global_clipnorm"):
        _assert_agree(paths_on, backend, f"{enrolment.name}/{key}, bad")


@few_variants
@every_other_backend
def test_steps_of_variables_in_turns_agree_with_those_on_tensorflow(
    paths_on, backend, enrolment, variant
):
    _assert_agree(paths_on, backend, f"{enrolment.name}/{variant}, in turns")


@every_other_backend
def test_package_leaves_tensorflow_alone(paths_on, backend):
    assert not paths_on(backend)["tensorflow_came_with_the_package"]
    assert not paths_on(backend)["tensorflow_came_with_the_steps"]


@pytest.fixture(scope="module")
def trained_on(tmp_path_factory):
    """Arrays of a training, as a function of the backend and the name."""

    @functools.cache
    def folder_of(backend):
        folder = tmp_path_factory.mktemp(backend)
        run_program("training", folder, backend=backend)
        return folder

    def trained(backend, name):
        with np.load(folder_of(backend) / f"{name}.npz") as arrays:
            return dict(arrays)

    return trained


@pytest.mark.parametrize("way", training.WAYS)
@every_optimizer
@every_other_backend
def test_fit_resumes_to_the_bit(trained_on, backend, enrolment, way):
    arrays = trained_on(backend, enrolment.name)
    whole, resumed = (
        [arrays[key] for key in arrays if key.startswith(f"{kind}_")]
        for kind in ("whole", way)
    )
    assert len(whole) > 10
    assert same_bits(resumed, whole)


@every_optimizer
@every_other_backend
def test_fit_reduces_the_loss(trained_on, backend, enrolment):
    losses = trained_on(backend, enrolment.name)["losses"]
    assert losses[-1] < 0.9 * losses[0]


def test_update_lowers_for_tpu_and_cuda():
    lines = run_program("export", backend="jax").splitlines()
    lowered = {tuple(line.split("\t")[:2]) for line in lines}
    assert lowered == {
        (f"{enrolment.name}/{key}", platform)
        for enrolment in ENROLMENTS.values()
        for key in (*enrolment.few, "monitored")
        for platform in ("tpu", "cuda")
    }
    assert all(int(line.split("\t")[2]) > 1000 for line in lines)


@every_other_backend
def test_tf_keras_front_end_names_the_variable_to_set(backend):
    done = launch("-c", "import keras_clip.tf_keras", backend=backend)
    assert done.returncode != 0
    message = done.stderr.strip().splitlines()[-1]
    assert message.startswith("ImportError: `keras_clip.tf_keras` needs")
    assert "KERAS_BACKEND" in message
    assert message.endswith(f"Received: keras.backend.backend()='{backend}'")
