"""The same on TensorFlow, JAX and torch; no TensorFlow where none is due.

What does not depend on the algorithm is checked for two kinds of optimizers.
"""

import functools
import importlib.util
import json

import numpy as np
import pytest

from tests.support.enrolment import ENROLMENTS
from tests.support.enrolment import every_optimizer
from tests.support.front_ends import KERAS
from tests.support.gradients import parameters
from tests.support.programs import sparse
from tests.support.programs import training
from tests.support.programs import trajectories
from tests.support.programs.launch import launch
from tests.support.programs.other_backend import WRITTEN
from tests.support.programs.overrides import METHODS
from tests.support.programs.overrides import assert_refused
from tests.support.programs.overrides import direct_call
from tests.support.programs.pairing import CLAIMS
from tests.support.programs.pairing import ERRORS
from tests.support.shared_code import both_kinds
from tests.support.trajectories import assert_close
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow

NEEDS_TORCH = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None,
    reason="torch is not installed: it is in the extra `torch`",
)

every_other_backend = pytest.mark.parametrize(
    "backend", ["jax", pytest.param("torch", marks=NEEDS_TORCH)]
)


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Returns what a program has written, by backend and name."""

    @functools.cache
    def run(backend):
        folder = tmp_path_factory.mktemp(backend)
        program = "tests.support.programs.other_backend"
        return folder, launch("-m", program, folder, backend=backend)

    @functools.cache
    def written(backend, program):
        folder, done = run(backend)
        assert done.returncode == 0, done.stderr[-4000:]
        path = folder / WRITTEN[program]
        if path.is_dir():
            return path
        if path.suffix == ".json":
            return json.loads(path.read_text())
        with np.load(path) as arrays:
            return dict(arrays)

    return written


@pytest.mark.parametrize("key", trajectories.RUNS)
def test_twenty_steps_move_every_run(key):
    path = trajectories.path_of(key)
    assert path.shape == (21, sum(x.size for x in parameters()))
    assert np.any(path[-1] != path[0])


def _assert_agree(actual, expected):
    assert_close(
        [[row] for row in actual],
        [[row.astype(np.float64)] for row in expected],
        "float32",
        relative=2e-6,
    )


@pytest.mark.parametrize("key", trajectories.RUNS)
@every_other_backend
def test_twenty_steps_agree_with_those_on_tensorflow(written, backend, key):
    actual = written(backend, "trajectories")[key]
    _assert_agree(actual, trajectories.path_of(key))


@pytest.mark.parametrize("key", trajectories.BAD)
@every_other_backend
def test_steps_around_bad_gradients_agree_with_those_on_tensorflow(
    written, backend, key
):
    actual = written(backend, "trajectories")[f"{key}, bad"]
    expected = trajectories.path_of(key, trajectories.bad_gradients)
    _assert_agree(actual, expected)


@pytest.mark.parametrize("key", trajectories.IN_TURNS)
@every_other_backend
def test_steps_of_variables_in_turns_agree_with_those_on_tensorflow(
    written, functions_run_eagerly, backend, key
):
    """Eagerly there: one graph for each that takes its turn costs much."""
    actual = written(backend, "trajectories")[f"{key}, in turns"]
    expected = trajectories.path_of(key, trajectories.gradients_in_turns)
    _assert_agree(actual, expected)


@every_other_backend
def test_package_leaves_tensorflow_alone(written, backend):
    assert written(backend, "imports") == {
        "backend": backend,
        "with the package": False,
        "with the steps": False,
    }


def _trained(written, backend, name):
    with np.load(written(backend, "training") / f"{name}.npz") as arrays:
        return dict(arrays)


@pytest.mark.parametrize("way", training.WAYS)
@both_kinds
@every_other_backend
def test_fit_resumes_to_the_bit(written, backend, enrolment, way):
    arrays = _trained(written, backend, enrolment.name)
    whole, resumed = (
        [arrays[key] for key in arrays if key.startswith(f"{kind}_")]
        for kind in ("whole", way)
    )
    assert len(whole) > 10
    assert same_bits(resumed, whole)


@every_optimizer
@every_other_backend
def test_fit_reduces_the_loss(written, backend, enrolment):
    losses = _trained(written, backend, enrolment.name)["losses"]
    assert losses[-1] < 0.9 * losses[0]


@every_other_backend
def test_sparse_arrays_equal_dense_gradients(written, backend):
    ways = written(backend, "sparse")
    assert ways == dict.fromkeys(sparse.WAYS_ON[backend], True)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.__name__)
@both_kinds
@every_other_backend
def test_claim_on_gradients_and_variables_holds(
    written, backend, enrolment, claim
):
    assert written(backend, "pairing")[enrolment.name][claim.__name__]


@pytest.mark.parametrize("error", ERRORS)
@both_kinds
@every_other_backend
def test_gradient_that_fits_no_variable_is_named(
    written, backend, enrolment, error
):
    said = written(backend, "pairing")[enrolment.name][error]
    assert said == ERRORS[error][-1]


@both_kinds
@every_other_backend
def test_gradient_that_would_broadcast_is_not_accumulated(
    written, backend, enrolment
):
    said = written(backend, "pairing")[enrolment.name]["accumulated"]
    assert said == ERRORS["a shape that broadcasts"][-1]


@pytest.mark.parametrize("method", METHODS)
@every_other_backend
def test_method_that_no_step_calls_is_refused(written, backend, method):
    error = written(backend, "overrides")["errors"][method]
    assert_refused(backend, method, error)


@both_kinds
@every_other_backend
def test_gradients_that_a_subclass_clips_are_stepped_by(
    written, backend, enrolment
):
    assert written(backend, "overrides")["halves"][enrolment.name]


@every_other_backend
def test_one_variable_alone_is_not_moved(written, backend):
    assert written(backend, "overrides")["direct"] == direct_call(KERAS)


@every_optimizer
@every_other_backend
def test_clipping_per_replica_is_refused(written, backend, enrolment):
    message = written(backend, "refusals")["clip_per_replica"][enrolment.name]
    assert message.startswith(
        "ValueError: `clip_per_replica` must be False on any backend"
    )
    assert message.endswith(f"Received: clip_per_replica=True, on {backend}")


@every_other_backend
def test_tf_keras_front_end_names_the_variable_to_set(written, backend):
    message = written(backend, "refusals")["tf_keras"]
    assert message.startswith("ImportError: `keras_clip.tf_keras` needs")
    assert "KERAS_BACKEND" in message
    assert message.endswith(f"Received: keras.backend.backend()='{backend}'")


def test_optimizers_alike_share_what_jax_compiles_but_only_a_few_are_kept(
    written,
):
    kept = written("jax", "compiled_rules")
    assert (kept["hits"], kept["currsize"]) == (2, 16)


def test_update_lowers_for_tpu_and_cuda(written):
    lowered = written("jax", "export")
    assert lowered.keys() == {
        f"{enrolment.name}/{key}"
        for enrolment in ENROLMENTS.values()
        for key in (*enrolment.few, "monitored")
    }
    for platforms, size in lowered.values():
        assert platforms == ["tpu", "cuda"]
        assert size > 1000
