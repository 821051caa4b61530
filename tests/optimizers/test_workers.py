"""Two workers of MultiWorkerMirroredStrategy against one on whole batches."""

import json

import numpy as np
import pytest

from tests.support.programs.together import results_together
from tests.support.shared_code import both_kinds
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow

WORKERS = 2


@pytest.fixture(scope="module")
def found():
    """Returns what each worker finds, in separate processes."""
    return results_together("workers", WORKERS, _config, "tensorflow")


def _config(addresses, index):
    task = {"type": "worker", "index": index}
    cluster = {"worker": list(addresses)}
    return (json.dumps({"cluster": cluster, "task": task}),)


@both_kinds
@pytest.mark.parametrize("front_end", ["keras", "tf_keras"])
def test_two_workers_equal_one_on_the_whole_batch(found, front_end, enrolment):
    """tf_keras in `fit`, Keras 3 in a loop, which accumulates micro-batches."""
    kinds = [worker[enrolment.name, front_end] for worker in found]
    one = kinds[0]["one"]
    first, second = (each["here"] for each in kinds)
    assert one["update_count"] > 0
    assert one["gradient_norm"] > 0.25
    assert same_bits([*first.values()], [*second.values()])
    without = {"iteration"} if front_end == "keras" else set()
    for name in one.keys() - without:
        np.testing.assert_allclose(
            first[name], one[name], rtol=1e-5, atol=1e-6, err_msg=name
        )
