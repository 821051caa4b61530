"""The same steps on TensorFlow and JAX, and no TensorFlow where none is due."""

import numpy as np
import pytest

from tests.enrolment import ENROLMENTS
from tests.enrolment import every_optimizer
from tests.gradients import parameters
from tests.programs import training
from tests.programs import trajectories
from tests.programs.launch import launch
from tests.programs.launch import run_program
from tests.trajectories import assert_close
from tests.trajectories import same_bits

KEYS = [key for key, _, _ in trajectories.runs()]


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Paths by backend; each runs in a process of its own."""
    folder = tmp_path_factory.mktemp("paths")
    result = {}
    for backend in ("tensorflow", "jax"):
        file = folder / f"{backend}.npz"
        run_program("trajectories", file, backend=backend)
        with np.load(file) as arrays:
            result[backend] = dict(arrays)
        assert result[backend]["backend"] == backend
    return result


def _agree(paths, key):
    actual = [[row] for row in paths["jax"][key]]
    expected = [[row.astype(np.float64)] for row in paths["tensorflow"][key]]
    assert_close(actual, expected, "float32", relative=2e-6)


@pytest.mark.parametrize("key", KEYS)
def test_twenty_steps_agree_on_tensorflow_and_jax(paths, key):
    path = paths["tensorflow"][key]
    assert path.shape == (21, sum(x.size for x in parameters()))
    assert np.any(path[-1] != path[0])
    _agree(paths, key)


@every_optimizer
def test_steps_around_bad_gradients_agree_on_tensorflow_and_jax(
    paths, enrolment
):
    for key in ("plain", "global_clipnorm"):
        _agree(paths, f"{enrolment.name}/{key}, bad")


def test_package_on_jax_leaves_tensorflow_alone(paths):
    assert not paths["jax"]["tensorflow_came_with_the_package"]
    assert not paths["jax"]["tensorflow_came_with_the_steps"]


@pytest.fixture(scope="module")
def trained_on_jax(tmp_path_factory):
    """The folder of the training program's files."""
    folder = tmp_path_factory.mktemp("training")
    run_program("training", folder, backend="jax")
    return folder


@pytest.mark.parametrize("way", training.WAYS)
@every_optimizer
def test_fit_on_jax_resumes_to_the_bit(trained_on_jax, enrolment, way):
    with np.load(trained_on_jax / f"{enrolment.name}-{way}.npz") as arrays:
        whole, resumed = (
            [arrays[key] for key in arrays if key.startswith(kind)]
            for kind in ("whole", "resumed")
        )
    assert len(whole) > 10
    assert same_bits(resumed, whole)


@every_optimizer
def test_fit_on_jax_reduces_the_loss(trained_on_jax, enrolment):
    with np.load(trained_on_jax / f"{enrolment.name}-keras.npz") as arrays:
        losses = arrays["losses"]
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


def test_tf_keras_front_end_on_jax_names_the_variable_to_set():
    done = launch("-c", "import keras_clip.tf_keras", backend="jax")
    assert done.returncode != 0
    message = done.stderr.strip().splitlines()[-1]
    assert message.startswith("ImportError: `keras_clip.tf_keras` needs")
    assert "KERAS_BACKEND" in message
    assert message.endswith("Received: keras.backend.backend()='jax'")
