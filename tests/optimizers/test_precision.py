"""Half precision in what each front end does by itself."""

import numpy as np
import pytest

from tests.support.front_ends import both_front_ends
from tests.support.gradients import heavy_tailed_gradients
from tests.support.models import fit
from tests.support.precision import assert_dtypes_share_one_norm
from tests.support.precision import assert_step_is_rounded_once
from tests.support.precision import half_precision
from tests.support.shared_code import both_kinds
from tests.support.shared_code import every_optimizer_once
from tests.support.trajectories import same_bits
from tests.support.trajectories import stepped

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("functions_run_eagerly")
@half_precision
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("gclip", {"clip_threshold": 3.0}),
        ("cclip", {"clip_threshold": 0.3}),
        ("clip_adam", {"clipping": "layer", "clip_threshold": 3.0}),
        ("acclip", {"clipvalue": 0.3}),
    ],
)
@both_front_ends
def test_gradient_of_the_only_replica_is_clipped_in_float32_too(
    front_end, name, arguments, dtype
):
    gradients, dtype = heavy_tailed_gradients(steps=3), np.dtype(dtype).name
    ends = []
    for per_replica in (False, True):
        more = {"clip_per_replica": per_replica, "learning_rate": 1.0}
        _, variables = stepped(
            front_end, name, {**arguments, **more}, gradients, dtype=dtype
        )
        ends.append(front_end.values(variables))
    assert same_bits(*ends)


@both_kinds
@both_front_ends
def test_fit_with_mixed_bfloat16_reduces_the_loss(front_end, enrolment):
    layers = front_end.framework.layers
    model = front_end.framework.Sequential(
        [
            layers.Input((3,)),
            layers.Dense(4, activation="tanh", dtype="mixed_bfloat16"),
            layers.Dense(2, dtype="mixed_bfloat16"),
        ]
    )
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    optimizer = front_end.optimizer(
        enrolment.name, learning_rate=enrolment.training_rate
    )
    model.compile(optimizer=optimizer, loss="mse")
    losses = fit(model, epochs=6)["loss"]
    assert losses[-1] < 0.5 * losses[0]
    dtypes = {layer.compute_dtype for layer in model.layers}
    assert dtypes == {"bfloat16"}


@pytest.mark.usefixtures("functions_run_eagerly")
@half_precision
@every_optimizer_once
def test_half_precision_step_is_the_float32_step_rounded_once(
    front_end, enrolment, dtype
):
    last = enrolment.few[-1]
    assert_step_is_rounded_once(front_end, enrolment, last, dtype)


@pytest.mark.usefixtures("functions_run_eagerly")
@every_optimizer_once
def test_variables_of_several_dtypes_share_one_norm_in_the_widest(
    front_end, enrolment
):
    assert_dtypes_share_one_norm(front_end, enrolment)
