"""Two replicas against one on the whole batch, a process for each case."""

import numpy as np
import pytest

from tests.enrolment import every_optimizer
from tests.programs.launch import run_program


@every_optimizer
@pytest.mark.parametrize("jit_compile", [True, False])
@pytest.mark.parametrize("front_end", ["keras", "tf_keras"])
def test_two_replicas_equal_one_on_the_whole_batch(
    enrolment, front_end, jit_compile, tmp_path
):
    path = tmp_path / "weights.npz"
    run_program(
        *("replicas", front_end, enrolment.name, jit_compile, path),
        backend="tensorflow",
    )
    found = np.load(path)
    names = [name.removeprefix("one_") for name in found if "one_" in name]
    assert names
    for name in names:
        one, two = found[f"one_{name}"], found[f"two_{name}"]
        np.testing.assert_allclose(one, two, rtol=1e-5, atol=1e-6)
    for name in (name for name in found if name.startswith("before_")):
        after = found[name.replace("before", "one")]
        assert np.abs(after - found[name]).max() > 0.01
