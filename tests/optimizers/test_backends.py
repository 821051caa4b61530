"""The same on TensorFlow, JAX and torch; no TensorFlow where none is due.

What does not depend on the algorithm is checked for two kinds of optimizers.
"""

import importlib.util

import numpy as np
import pytest

from tests.support.enrolment import ENROLMENTS
from tests.support.enrolment import every_optimizer
from tests.support.front_ends import KERAS
from tests.support.gradients import parameters
from tests.support.programs import overrides
from tests.support.programs import pairing
from tests.support.programs import sparse
from tests.support.programs import thresholds
from tests.support.programs import training
from tests.support.programs import trajectories
from tests.support.programs.launch import results_of
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
def jax():
    """Returns what all programs find there, in one process."""
    return results_of("other_backend", backend="jax")


@pytest.fixture(scope="module")
def torch():
    """Returns what all programs find there, in one process."""
    return results_of("other_backend", backend="torch")


@pytest.fixture
def found(request, backend):
    """Returns what all programs find on a backend."""
    return request.getfixturevalue(backend)


@pytest.mark.parametrize("name", trajectories.PATHS)
@every_other_backend
def test_twenty_steps_agree_with_those_on_tensorflow(
    found, functions_run_eagerly, name
):
    """Eagerly there: graphs cost much, and are compared with that elsewhere."""
    expected = trajectories.path_of(name)
    assert expected.shape == (21, sum(x.size for x in parameters()))
    assert np.any(expected[-1] != expected[0])
    assert_close(
        [[row] for row in found["trajectories"][name]],
        [[row.astype(np.float64)] for row in expected],
        "float32",
        relative=2e-6,
    )


@every_other_backend
def test_package_leaves_tensorflow_alone(found, backend):
    assert found["imports"] == {
        "backend": backend,
        "with the package": False,
        "with the steps": False,
    }


@pytest.mark.parametrize("way", training.WAYS)
@both_kinds
@every_other_backend
def test_fit_resumes_to_the_bit(found, enrolment, way):
    result = found["training"][enrolment.name]
    assert len(result["whole"]) > 10
    assert same_bits(result[way], result["whole"])


@both_kinds
@every_other_backend
def test_fit_reduces_the_loss(found, enrolment):
    losses = found["training"][enrolment.name]["losses"]
    assert losses[-1] < 0.9 * losses[0]


@every_other_backend
def test_sparse_arrays_equal_dense_gradients(found, backend):
    ways = found["sparse"]
    assert ways == dict.fromkeys(sparse.WAYS_ON[backend], True)


@pytest.mark.parametrize("case", thresholds.CASES)
@every_other_backend
def test_callback_of_fit_changes_the_threshold(found, case):
    thresholds.assert_changed(found["thresholds"][case])


@pytest.mark.parametrize(
    "claim", pairing.CLAIMS, ids=lambda claim: claim.__name__
)
@both_kinds
@every_other_backend
def test_claim_on_gradients_and_variables_holds(found, enrolment, claim):
    assert found["pairing"][enrolment.name][claim.__name__]


@pytest.mark.parametrize("error", pairing.ERRORS)
@both_kinds
@every_other_backend
def test_gradient_that_fits_no_variable_is_named(found, enrolment, error):
    said = found["pairing"][enrolment.name][error]
    assert said == pairing.ERRORS[error][-1]


@both_kinds
@every_other_backend
def test_gradient_that_would_broadcast_is_not_accumulated(found, enrolment):
    said = found["pairing"][enrolment.name]["accumulated"]
    assert said == pairing.ERRORS["a shape that broadcasts"][-1]


@pytest.mark.parametrize("method", overrides.METHODS)
@every_other_backend
def test_method_that_no_step_calls_is_refused(found, backend, method):
    error = found["overrides"]["errors"][method]
    overrides.assert_refused(backend, method, error)


@both_kinds
@every_other_backend
def test_gradients_that_a_subclass_clips_are_stepped_by(found, enrolment):
    assert found["overrides"]["halves"][enrolment.name]


@every_other_backend
def test_one_variable_alone_is_not_moved(found):
    assert found["overrides"]["direct"] == overrides.direct_call(KERAS)


@every_optimizer
@every_other_backend
def test_clipping_per_replica_is_refused(found, backend, enrolment):
    message = found["refusals"]["clip_per_replica"][enrolment.name]
    assert message.startswith(
        "ValueError: `clip_per_replica` must be False on any backend"
    )
    assert message.endswith(f"Received: clip_per_replica=True, on {backend}")


@every_other_backend
def test_tf_keras_front_end_names_the_variable_to_set(found, backend):
    message = found["refusals"]["tf_keras"]
    assert message.startswith("ImportError: `keras_clip.tf_keras` needs")
    assert "KERAS_BACKEND" in message
    assert message.endswith(f"Received: keras.backend.backend()='{backend}'")


def test_optimizers_alike_share_what_jax_compiles_but_only_a_few_are_kept(
    jax,
):
    kept = jax["compiled_rules"]
    assert (kept["hits"], kept["currsize"]) == (2, 16)


def test_update_lowers_for_tpu_and_cuda(jax):
    lowered = jax["export"]
    assert lowered.keys() == {
        f"{enrolment.name}/{key}"
        for enrolment in ENROLMENTS.values()
        for key in (enrolment.few[-1], "monitored")
    }
    for platforms, size in lowered.values():
        assert platforms == ("tpu", "cuda")
        assert size > 1000
