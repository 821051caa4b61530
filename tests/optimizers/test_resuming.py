"""A saved model resumes training to the bit, in every format."""

import warnings

import pytest
import tensorflow as tf

from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.front_ends import both_front_ends
from tests.support.gradients import heavy_tailed_gradients
from tests.support.models import SHAPES
from tests.support.models import dense_model
from tests.support.models import everything
from tests.support.models import train
from tests.support.shared_code import KINDS
from tests.support.shared_code import both_kinds
from tests.support.trajectories import same_bits

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("functions_run_eagerly"),
]

GRADIENTS = heavy_tailed_gradients(SHAPES, steps=6)


def _through_keras_file(front_end, saved, make, path):
    saved.save(path / "model.keras")
    return front_end.framework.models.load_model(path / "model.keras")


def _through_weights_file(front_end, saved, make, path):
    saved.save_weights(path / "model.weights.h5")
    loaded = make()
    loaded.optimizer.build(loaded.trainable_variables)
    loaded.load_weights(path / "model.weights.h5")
    return loaded


def _through_checkpoint(front_end, saved, make, path):
    file = tf.train.Checkpoint(model=saved, optimizer=saved.optimizer).write(
        str(path / "checkpoint")
    )
    loaded = make()
    loaded.optimizer.build(loaded.trainable_variables)
    tf.train.Checkpoint(model=loaded, optimizer=loaded.optimizer).read(
        file
    ).assert_consumed()
    return loaded


def _through_checkpoint_before_build(front_end, saved, make, path):
    file = tf.train.Checkpoint(model=saved, optimizer=saved.optimizer).write(
        str(path / "checkpoint")
    )
    loaded = make()
    status = tf.train.Checkpoint(model=loaded, optimizer=loaded.optimizer).read(
        file
    )
    loaded.optimizer.build(loaded.trainable_variables)
    status.assert_consumed()
    return loaded


FORMATS = {
    "keras": _through_keras_file,
    "weights": _through_weights_file,
    "checkpoint": _through_checkpoint,
    "checkpoint-deferred": _through_checkpoint_before_build,
}
every_format = pytest.mark.parametrize("through", FORMATS.values(), ids=FORMATS)


def _assert_resumes(front_end, name, arguments, through, path):
    def make():
        optimizer = front_end.optimizer(name, **arguments)
        return dense_model(front_end, optimizer)

    model = make()
    train(front_end, model, GRADIENTS[:3])
    before = everything(front_end, model)
    resumed = through(front_end, model, make, path)
    assert same_bits(everything(front_end, resumed), before)
    assert same_bits(everything(front_end, model), before)
    for each in (model, resumed):
        train(front_end, each, GRADIENTS[3:])
    assert same_bits(
        everything(front_end, resumed), everything(front_end, model)
    )


def _every_optimizer_in_every_format():
    """Yields front ends, optimizers, variants and formats.

    On Keras 3 each variant is in one format or two, on tf_keras there are two
    kinds of optimizers.
    """
    for front_end, enrolments in ((KERAS, ENROLMENTS), (TF_KERAS, KINDS)):
        for enrolment in enrolments.values():
            for place, key in enumerate(FORMATS):
                variant = enrolment.few[place % len(enrolment.few)]
                yield front_end, enrolment.name, variant, key


@pytest.mark.parametrize(
    ("front_end", "name", "variant", "key"),
    _every_optimizer_in_every_format(),
)
def test_saved_model_goes_on_training_to_the_bit(
    front_end, name, variant, key, tmp_path
):
    arguments = ENROLMENTS[name].variants[variant]
    _assert_resumes(front_end, name, arguments, FORMATS[key], tmp_path)


@every_format
@pytest.mark.parametrize(
    "arguments",
    [
        {"monitor": True, "global_clipnorm": 0.5},
        {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2},
    ],
    ids=["monitor", "ema"],
)
@both_kinds
@both_front_ends
def test_state_of_keras_arguments_goes_on_to_the_bit(
    front_end, enrolment, arguments, through, tmp_path
):
    arguments = {"learning_rate": 0.125, **arguments}
    _assert_resumes(front_end, enrolment.name, arguments, through, tmp_path)


@every_format
@both_kinds
def test_half_accumulated_gradients_go_on_to_the_bit(
    enrolment, through, tmp_path
):
    """Saved after three micro-batches of two a step."""
    arguments = {"learning_rate": 0.125, "gradient_accumulation_steps": 2}
    _assert_resumes(KERAS, enrolment.name, arguments, through, tmp_path)


@both_kinds
@both_front_ends
def test_weights_file_leaves_an_unbuilt_optimizer_as_it_was(
    front_end, enrolment, tmp_path
):
    """As Keras does for all optimizers: it warns and loads the model only."""
    optimizer = front_end.optimizer(enrolment.name)
    model = dense_model(front_end, optimizer)
    train(front_end, model, GRADIENTS[:3])
    model.save_weights(tmp_path / "model.weights.h5")
    loaded = dense_model(front_end, front_end.optimizer(enrolment.name))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loaded.load_weights(tmp_path / "model.weights.h5")
    if front_end is KERAS:
        assert any("Skipping variable loading" in str(w) for w in caught)
    assert int(loaded.optimizer.iterations) == 0
    assert same_bits(
        front_end.values(loaded.variables), front_end.values(model.variables)
    )


@pytest.mark.parametrize("monitored", [True, False])
@both_kinds
@both_front_ends
def test_state_loads_whichever_way_monitor_was_set(
    front_end, enrolment, monitored, tmp_path
):
    saved, loaded, whole = (
        dense_model(
            front_end,
            front_end.optimizer(
                enrolment.name, learning_rate=0.125, monitor=monitor
            ),
        )
        for monitor in (monitored, not monitored, not monitored)
    )
    train(front_end, whole, GRADIENTS)
    train(front_end, saved, GRADIENTS[:3])
    loaded.optimizer.build(loaded.trainable_variables)
    saved.save_weights(tmp_path / "model.weights.h5")
    loaded.load_weights(tmp_path / "model.weights.h5")
    assert same_bits(
        everything(front_end, loaded), everything(front_end, saved)
    )
    train(front_end, loaded, GRADIENTS[3:])
    assert same_bits(
        front_end.values(loaded.variables), front_end.values(whole.variables)
    )


@both_kinds
@both_front_ends
def test_learning_rate_schedule_survives_the_keras_file(
    front_end, enrolment, tmp_path
):
    schedule = front_end.framework.optimizers.schedules.PolynomialDecay(
        0.5, decay_steps=10, end_learning_rate=0.125, power=2.0
    )
    optimizer = front_end.optimizer(enrolment.name, learning_rate=schedule)
    model = dense_model(front_end, optimizer)
    train(front_end, model, GRADIENTS[:3])
    loaded = _through_keras_file(front_end, model, None, tmp_path)
    again = loaded.optimizer._learning_rate
    assert type(again) is type(schedule)
    assert again.get_config() == schedule.get_config()


@both_kinds
@both_front_ends
def test_changed_learning_rate_survives_the_keras_file(
    front_end, enrolment, tmp_path
):
    optimizer = front_end.optimizer(enrolment.name, learning_rate=0.5)
    model = dense_model(front_end, optimizer)
    train(front_end, model, GRADIENTS[:1])
    optimizer.learning_rate = 0.125
    loaded = _through_keras_file(front_end, model, None, tmp_path)
    assert float(loaded.optimizer.learning_rate) == 0.125
