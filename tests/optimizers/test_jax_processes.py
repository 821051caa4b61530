"""Two processes of JAX against one on whole batches."""

import numpy as np
import pytest

from tests.support.programs.together import results_together
from tests.support.shared_code import both_kinds

pytestmark = pytest.mark.slow

PROCESSES = 2


@pytest.fixture(scope="module")
def found():
    """Returns what each process finds."""
    return results_together(
        "jax_processes",
        PROCESSES,
        lambda addresses, index: (addresses[0], index),
        "jax",
    )


@both_kinds
@pytest.mark.parametrize("distribution", ["data_parallel", "model_parallel"])
def test_two_processes_equal_one_on_the_whole_batch(
    found, distribution, enrolment
):
    one = found[0][enrolment.name, "one"]
    first, second = (each[enrolment.name, distribution] for each in found)
    counts = [v for path, v in one.items() if path.endswith("update_count")]
    assert counts == [6]
    (norm,) = (v for path, v in one.items() if path.endswith("gradient_norm"))
    assert norm > 0.25
    assert first.keys() == second.keys() == one.keys()
    for path in one:
        np.testing.assert_array_equal(first[path], second[path], err_msg=path)
        np.testing.assert_allclose(
            first[path], one[path], rtol=1e-5, atol=1e-6, err_msg=path
        )
