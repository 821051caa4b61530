"""`compile` and `fit` train, and what they save goes on training."""

import numpy as np
import pytest

from tests.support.enrolment import ENROLMENTS
from tests.support.enrolment.record import Halving
from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.models import dense_model
from tests.support.models import everything
from tests.support.models import fit
from tests.support.saving import through_keras_file
from tests.support.shared_code import KINDS
from tests.support.shared_code import both_kinds
from tests.support.shared_code import every_optimizer_once
from tests.support.trajectories import assert_close
from tests.support.trajectories import positions
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow


@every_optimizer_once
def test_fit_reduces_the_loss(front_end, enrolment):
    optimizer = front_end.optimizer(
        enrolment.name, learning_rate=enrolment.training_rate
    )
    losses = fit(dense_model(front_end, optimizer), epochs=10)["loss"]
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.parametrize(
    "arguments",
    [
        {"clipping": "layer", "monitor": True},
        {"use_ema": True, "ema_overwrite_frequency": 3},
    ],
    ids=["monitor", "ema"],
)
@both_front_ends
def test_saved_model_goes_on_fitting_to_the_bit(front_end, arguments, tmp_path):
    optimizer = front_end.optimizer("clip_adam", **arguments)
    model = dense_model(front_end, optimizer)
    fit(model, epochs=1)
    before = everything(front_end, model)
    resumed = through_keras_file(front_end, model, None, tmp_path)
    assert same_bits(everything(front_end, model), before)
    for each in (model, resumed):
        fit(each, epochs=1)
    assert same_bits(
        everything(front_end, resumed), everything(front_end, model)
    )


@pytest.mark.parametrize(
    ("enrolment", "clipping"),
    [
        *((enrolment, {}) for enrolment in ENROLMENTS.values()),
        *(
            (enrolment, {"global_clipnorm": 0.5})
            for enrolment in KINDS.values()
        ),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_accumulated_micro_batches_step_as_their_mean(enrolment, clipping):
    """Three a step. Between the steps nothing moves."""
    count = 3
    arguments = {"learning_rate": 0.125, **clipping}
    micro = heavy_tailed_gradients(steps=4 * count)
    accumulating = KERAS.optimizer(
        enrolment.name, gradient_accumulation_steps=count, **arguments
    )
    every = positions(KERAS, accumulating, parameters(), micro, "float64")
    for step in range(len(micro)):
        moved = not same_bits(every[step + 1], every[step])
        assert moved == ((step + 1) % count == 0)

    means = [
        [
            np.asarray(sum(g) / count)
            for g in zip(*micro[i : i + count], strict=True)
        ]
        for i in range(0, len(micro), count)
    ]
    plain = KERAS.optimizer(enrolment.name, **arguments)
    expected = positions(KERAS, plain, parameters(), means, "float64")
    assert_close(every[::count], expected, "float64")
    assert int(accumulating.update_count) == int(plain.update_count) == 4


@pytest.mark.usefixtures("functions_run_eagerly")
@both_kinds
def test_callable_learning_rate_is_asked_at_every_step(enrolment):
    gradients = heavy_tailed_gradients(steps=4)
    rates = iter([0.5, 0.5, 0.25, 0.25])
    called = KERAS.optimizer(enrolment.name, learning_rate=lambda: next(rates))
    halving = KERAS.optimizer(enrolment.name, learning_rate=Halving(0.5, 2))
    ends = [
        positions(KERAS, optimizer, parameters(), gradients)[-1]
        for optimizer in (called, halving)
    ]
    assert same_bits(*ends)
