"""Two replicas of MirroredStrategy against one on the whole batch.

All optimizers of a front end train in one process, under one strategy.
"""

import numpy as np
import pytest

from tests.support.enrolment import every_optimizer
from tests.support.enrolment import few_variants
from tests.support.programs.launch import run_program
from tests.support.trajectories import same_bits

# A step that is skipped counts for these only.
COUNTERS = {"iteration", "skipped_steps"}


@pytest.fixture(scope="module", params=["keras", "tf_keras"])
def replicas(request, tmp_path_factory):
    """What the program has written for a front end."""
    return _written(tmp_path_factory, "replicas", request.param)


@pytest.fixture(scope="module")
def accumulation(tmp_path_factory):
    """What the program has written, for Keras 3."""
    return _written(tmp_path_factory, "accumulation")


def _written(tmp_path_factory, program, *arguments):
    path = tmp_path_factory.mktemp(program) / "variables.npz"
    run_program(program, *arguments, path, backend="tensorflow")
    with np.load(path) as arrays:
        return dict(arrays)


def _kinds(result, key):
    """Returns the variables of a case by name, for each kind of run."""
    kinds = {}
    for path, value in result.items():
        if path.startswith(f"{key}/"):
            kind, name = path.removeprefix(f"{key}/").split("/", 1)
            kinds.setdefault(kind, {})[name] = value
    return kinds


def _assert_equal(result, key, without=()):
    """Compares two replicas with one, and bit by bit with each other."""
    kinds = _kinds(result, key)
    one, first, second = (kinds[kind] for kind in ("one", "first", "second"))
    assert first.keys() == second.keys()
    assert same_bits([*first.values()], [*second.values()])
    assert one["update_count"] > 0
    for name in one.keys() - set(without):
        np.testing.assert_allclose(
            first[name], one[name], rtol=1e-5, atol=1e-6, err_msg=name
        )
    return one, first


@few_variants
def test_custom_loop_equals_one_replica_on_the_whole_batch(
    replicas, enrolment, variant
):
    _assert_equal(replicas, f"{enrolment.name}/loop/{variant}")


@every_optimizer
@pytest.mark.parametrize("clip", ["clipnorm", "clipvalue"])
def test_replicas_agree_on_what_a_nan_of_one_of_them_stops(
    replicas, clip, enrolment
):
    _assert_equal(replicas, f"{enrolment.name}/loop/{clip}, NaN")


@every_optimizer
def test_averages_are_kept_and_overwrite_on_both_replicas(replicas, enrolment):
    _, first = _assert_equal(replicas, f"{enrolment.name}/loop/averages")
    assert any("average" in name for name in first)


@every_optimizer
@pytest.mark.parametrize("replica", [0, 1])
def test_step_that_is_nan_on_one_replica_is_skipped_on_both(
    replicas, replica, enrolment
):
    """The update is compiled in the case of one replica, not of the other."""
    key = f"{enrolment.name}/skipped/replica {replica}"
    one, first = _assert_equal(replicas, key, without=COUNTERS)
    assert first["skipped_steps"] == one["skipped_steps"] + 1
    assert first["iteration"] == one["iteration"] + 1


@every_optimizer
def test_loss_scale_leaves_out_what_is_nan_on_one_replica(replicas, enrolment):
    """Keras 3 looks at the first replica; the optimizer skips the second's."""
    key = f"{enrolment.name}/skipped/loss scale"
    _assert_equal(replicas, key, without=COUNTERS)


@every_optimizer
def test_fit_with_an_embedding_equals_one_replica_on_the_whole_batch(
    replicas, enrolment
):
    one, _ = _assert_equal(replicas, f"{enrolment.name}/fit/plain")
    assert one["gradient_norm"] > 0.25


@every_optimizer
def test_clip_per_replica_sums_what_each_replica_clips(replicas, enrolment):
    key = f"{enrolment.name}/clip_per_replica/NumPy"
    _assert_equal(replicas, key, without={"gradient_norm", "gradient_norms"})


@pytest.mark.parametrize("clip", ["clipnorm", "clipvalue", "global_clipnorm"])
@pytest.mark.parametrize("replicas", ["keras"], indirect=True)
def test_clip_per_replica_is_how_keras_clips(replicas, clip):
    kinds = _kinds(replicas, f"sgd/as_keras/{clip}")
    ways = {
        kind: np.concatenate([x[name].ravel() for name in ("x0", "x1", "x2")])
        for kind, x in kinds.items()
    }
    sgd = ways.pop("sgd")
    assert np.abs(ways.pop("aggregated") - sgd).max() > 0.01
    assert len(ways) == (1 if clip == "clipnorm" else 2)
    for way in ways.values():
        np.testing.assert_allclose(way, sgd, rtol=1e-6, atol=1e-7)


@every_optimizer
def test_micro_batches_in_fit_equal_whole_batches_of_one_replica(
    accumulation, enrolment
):
    key = f"{enrolment.name}/accumulation/fit"
    _, first = _assert_equal(accumulation, key, {"iteration"})
    assert not any(
        np.any(value)
        for name, value in first.items()
        if "gradient_accumulator" in name
    )


@every_optimizer
def test_update_with_a_nan_micro_batch_of_one_replica_is_skipped(
    accumulation, enrolment
):
    key = f"{enrolment.name}/accumulation/loop with NaN"
    one, first = _assert_equal(accumulation, key, COUNTERS)
    assert first["skipped_steps"] == one["skipped_steps"] + 1


@every_optimizer
def test_averages_of_accumulated_steps_equal_those_of_one_replica(
    accumulation, enrolment
):
    key = f"{enrolment.name}/accumulation/averages with NaN"
    one, _ = _assert_equal(accumulation, key)
    assert one["skipped_steps"] == 1


@every_optimizer
def test_accumulation_resumes_from_a_checkpoint_in_its_middle(
    accumulation, enrolment
):
    one, first = _assert_equal(
        accumulation, f"{enrolment.name}/accumulation/resumed"
    )
    assert same_bits([*one.values()], [*first.values()])


@pytest.fixture(scope="module")
def outside_scope(tmp_path_factory):
    """What the program has written, for Keras 3."""
    return _written(tmp_path_factory, "outside_scope")


@pytest.mark.parametrize("mode", ["eager", "graph"])
@every_optimizer
def test_step_outside_the_scope_moves_all_copies_alike(
    outside_scope, enrolment, mode
):
    start = f"{enrolment.name}/{mode}/"
    found = [v for key, v in outside_scope.items() if key.startswith(start)]
    assert len(found) >= 3
    for first, second in found:
        np.testing.assert_array_equal(first, second)
        assert np.all(first != 1)
