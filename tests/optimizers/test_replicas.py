"""Two replicas of MirroredStrategy against one on the whole batch.

All that the tests ask for is trained in one process, under one strategy.
"""

import numpy as np
import pytest

from tests.support.programs.launch import results_of
from tests.support.programs.replicas import CASES
from tests.support.trajectories import same_bits

# A step that is skipped counts for these only.
COUNTERS = {"iteration", "skipped_steps"}
# The only ones that are not slow.
FAST = (
    "keras/clip_adam_norm/loop/threshold,corrected,decay",
    "tf_keras/clip_adam_norm/loop/threshold,corrected,decay",
)


def every(*kinds):
    """Marks a test to be run on the cases of some kinds."""
    keys = [key for key in CASES if key.split("/", 2)[-1].startswith(kinds)]
    assert keys
    return pytest.mark.parametrize(
        "key",
        [
            pytest.param(key, marks=() if key in FAST else pytest.mark.slow)
            for key in keys
        ],
    )


@pytest.fixture(scope="module")
def found(request):
    """Returns what the program finds for the chosen tests."""
    keys = {
        item.callspec.params["key"]
        for item in request.session.items
        if item.path == request.path
    }
    return results_of("replicas", *sorted(keys), backend="tensorflow")


def _assert_equal(found, key, without=()):
    """Compares two replicas with one, and bit by bit with each other."""
    kinds = found[key]
    one, first, second = (kinds[kind] for kind in ("one", "first", "second"))
    assert first.keys() == second.keys()
    assert same_bits([*first.values()], [*second.values()])
    assert one["update_count"] > 0
    for name in one.keys() - set(without):
        np.testing.assert_allclose(
            first[name], one[name], rtol=1e-5, atol=1e-6, err_msg=name
        )
    return one, first


@every("loop/", "loop by unequal rows")
def test_custom_loop_equals_one_replica_on_the_whole_batch(found, key):
    _assert_equal(found, key)


@every("clipnorm, NaN", "clipvalue, NaN")
def test_replicas_agree_on_what_a_nan_of_one_of_them_stops(found, key):
    _assert_equal(found, key)


@every("averages")
def test_averages_are_kept_and_overwrite_on_both_replicas(found, key):
    _, first = _assert_equal(found, key)
    assert any("average" in name for name in first)


@every("skipped/")
def test_step_that_is_nan_on_one_replica_is_skipped_on_both(found, key):
    """The update is compiled in the case of one replica, not of the other."""
    one, first = _assert_equal(found, key, without=COUNTERS)
    assert first["skipped_steps"] == one["skipped_steps"] + 1
    assert first["iteration"] == one["iteration"] + 1


@every("loss scale")
def test_loss_scale_leaves_out_what_is_nan_on_one_replica(found, key):
    """Keras 3 looks at the first replica; the optimizer skips the second's."""
    _assert_equal(found, key, without=COUNTERS)


@every("fit")
def test_fit_with_an_embedding_equals_one_replica_on_the_whole_batch(
    found, key
):
    one, _ = _assert_equal(found, key)
    assert one["gradient_norm"] > 0.25


@every("clip_per_replica")
def test_clip_per_replica_sums_what_each_replica_clips(found, key):
    _assert_equal(found, key, without={"gradient_norm", "gradient_norms"})


@every("as_keras/")
def test_clip_per_replica_is_how_keras_clips(found, key):
    ways = {
        kind: np.concatenate([x[name].ravel() for name in ("x0", "x1", "x2")])
        for kind, x in found[key].items()
    }
    sgd = ways.pop("sgd")
    assert np.abs(ways.pop("aggregated") - sgd).max() > 0.01
    assert len(ways) == (1 if key.endswith("/clipnorm") else 2)
    for way in ways.values():
        np.testing.assert_allclose(way, sgd, rtol=1e-6, atol=1e-7)


@every("accumulated/fit")
def test_micro_batches_in_fit_equal_whole_batches_of_one_replica(found, key):
    _, first = _assert_equal(found, key, {"iteration"})
    assert not any(
        np.any(value)
        for name, value in first.items()
        if "gradient_accumulator" in name
    )


@every("accumulated/loop with NaN")
def test_update_with_a_nan_micro_batch_of_one_replica_is_skipped(found, key):
    one, first = _assert_equal(found, key, COUNTERS)
    assert first["skipped_steps"] == one["skipped_steps"] + 1


@every("accumulated/averages with NaN")
def test_averages_of_accumulated_steps_equal_those_of_one_replica(found, key):
    one, _ = _assert_equal(found, key)
    assert one["skipped_steps"] == 1


@every("accumulated/resumed")
def test_accumulation_resumes_from_a_checkpoint_in_its_middle(found, key):
    one, first = _assert_equal(found, key)
    assert same_bits([*one.values()], [*first.values()])


@every("outside_scope/")
def test_step_outside_the_scope_moves_all_copies_alike(found, key):
    kinds = found[key]
    assert kinds["first"].keys() == kinds["second"].keys()
    assert len(kinds["first"]) >= 3
    for place, first in kinds["first"].items():
        np.testing.assert_array_equal(first, kinds["second"][place])
        assert np.all(first != 1)
