"""JAX on four devices against one, with batches and with variables split."""

import numpy as np
import pytest

from tests.support.programs.launch import results_of
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
def found():
    return results_of("shards", backend="jax")


@both_kinds
@every_distribution
def test_four_devices_equal_one(found, enrolment, distribution):
    """With split variables, and two micro-batches for each batch of one."""
    kinds = found[enrolment.name, distribution]
    one, four = kinds["one"], kinds["four"]
    assert one["update_count"] == 6
    assert one["gradient_norm"] > 0.25
    for name in one.keys() - {"iteration"}:
        np.testing.assert_allclose(
            four[name], one[name], rtol=1e-5, atol=1e-6, err_msg=name
        )


@both_kinds
def test_state_is_split_as_its_variable(found, enrolment):
    shards = found[enrolment.name, "model_parallel"]["shard"]
    for variable, shape in SPLIT.items():
        state = [name for name in shards if name.startswith(variable)]
        assert f"{variable}_gradient_accumulator" in state
        assert {shards[name] for name in state} == {shape}
