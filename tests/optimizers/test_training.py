"""`compile` and `fit` train, and what they save goes on training."""

import keras
import numpy as np
import pytest

import keras_clip
from tests.support.enrolment import ENROLMENTS
from tests.support.enrolment import every_optimizer
from tests.support.enrolment.record import Halving
from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.models import data
from tests.support.models import dense_model
from tests.support.models import everything
from tests.support.shared_code import KINDS
from tests.support.shared_code import both_kinds
from tests.support.shared_code import every_optimizer_once
from tests.support.trajectories import assert_close
from tests.support.trajectories import positions
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow


def _fit(model, epochs):
    history = model.fit(
        *data(), batch_size=8, epochs=epochs, shuffle=False, verbose=0
    )
    return history.history["loss"]


@every_optimizer_once
def test_fit_reduces_the_loss(front_end, enrolment):
    optimizer = front_end.optimizer(
        enrolment.name, learning_rate=enrolment.training_rate
    )
    losses = _fit(dense_model(front_end, optimizer), 10)
    assert losses[-1] < 0.2 * losses[0]


@pytest.mark.usefixtures("functions_run_eagerly")
@every_optimizer
def test_default_optimizer_reduces_the_loss_under_its_name(enrolment):
    model = dense_model(KERAS, keras_clip.get(enrolment.name))
    losses = _fit(model, 3)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"use_ema": True, "ema_overwrite_frequency": 3},
        {"global_clipnorm": 0.5, "monitor": True},
    ],
    ids=["plain", "ema", "monitor"],
)
@pytest.mark.usefixtures("functions_run_eagerly")
@both_kinds
@both_front_ends
def test_saved_model_goes_on_fitting_to_the_bit(
    front_end, enrolment, arguments, tmp_path
):
    _assert_goes_on(front_end, enrolment.name, arguments, tmp_path)


@both_front_ends
def test_saved_model_goes_on_fitting_in_graphs(front_end, tmp_path):
    arguments = {"clipping": "layer", "monitor": True}
    _assert_goes_on(front_end, "clip_adam", arguments, tmp_path)


def _assert_goes_on(front_end, name, arguments, path):
    optimizer = front_end.optimizer(name, learning_rate=0.0625, **arguments)
    model = dense_model(front_end, optimizer)
    _fit(model, 1)
    before = everything(front_end, model)
    model.save(path / "model.keras")
    resumed = front_end.framework.models.load_model(path / "model.keras")
    assert same_bits(everything(front_end, model), before)
    for each in (model, resumed):
        _fit(each, 1)
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
        [sum(g) / count for g in zip(*micro[i : i + count], strict=True)]
        for i in range(0, len(micro), count)
    ]
    plain = KERAS.optimizer(enrolment.name, **arguments)
    expected = positions(KERAS, plain, parameters(), means, "float64")
    assert_close(every[::count], expected, "float64")
    assert int(accumulating.update_count) == int(plain.update_count) == 4


@pytest.mark.usefixtures("functions_run_eagerly")
@both_kinds
def test_loss_scale_is_divided_out_before_clipping(enrolment):
    gradients = heavy_tailed_gradients(steps=5)
    arguments = {"learning_rate": 0.125, "global_clipnorm": 0.5}
    ends = []
    for factor in (None, 1024.0):
        optimizer = KERAS.optimizer(
            enrolment.name, loss_scale_factor=factor, **arguments
        )
        scaled = [[g * (factor or 1) for g in step] for step in gradients]
        ends.append(positions(KERAS, optimizer, parameters(), scaled)[-1])
    assert same_bits(*ends)


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


@pytest.mark.usefixtures("functions_run_eagerly")
@every_optimizer
def test_model_compiles_with_the_registered_name(enrolment):
    cls = KERAS.optimizer_class(enrolment.name)
    model = dense_model(KERAS, f"keras_clip>{cls.__name__}")
    assert isinstance(model.optimizer, keras.optimizers.Optimizer)
    assert type(model.optimizer) is cls
    assert np.isfinite(_fit(model, 1)).all()
