"""JAX on four devices against one, with batches and with variables split."""

import numpy as np
import pytest

from tests.support.programs.launch import run_program
from tests.support.shared_code import both_kinds

pytestmark = pytest.mark.slow

every_distribution = pytest.mark.parametrize(
    "distribution", ["data_parallel", "model_parallel"]
)
SPLIT = {
    "model_first_kernel": (3, 2),
    "model_first_bias": (2,),
    "model_second_kernel": (2, 2),
}


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("shards") / "shards.npz"
    run_program("shards", path, backend="jax")
    with np.load(path) as arrays:
        return dict(arrays)


def _kind(file, enrolment, distribution, kind):
    start = f"{enrolment.name}/devices/{distribution}/{kind}/"
    found = {
        key.removeprefix(start): value
        for key, value in file.items()
        if key.startswith(start)
    }
    assert len(found) > 8
    return found


@both_kinds
@every_distribution
def test_four_devices_equal_one(file, enrolment, distribution):
    """With split variables, and two micro-batches for each batch of one."""
    one = _kind(file, enrolment, distribution, "one")
    four = _kind(file, enrolment, distribution, "four")
    assert one["update_count"] == 6
    assert one["gradient_norm"] > 0.25
    for name in one.keys() - {"iteration"}:
        np.testing.assert_allclose(
            four[name], one[name], rtol=1e-5, atol=1e-6, err_msg=name
        )


@both_kinds
def test_state_is_split_as_its_variable(file, enrolment):
    shards = _kind(file, enrolment, "model_parallel", "shard")
    for variable, shape in SPLIT.items():
        state = [name for name in shards if name.startswith(variable)]
        assert f"{variable}_gradient_accumulator" in state
        assert {tuple(shards[name]) for name in state} == {shape}
