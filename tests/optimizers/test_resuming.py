"""A saved model resumes training to the bit, in every format."""

import itertools
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
from tests.support.models import unbuilt_model
from tests.support.saving import assert_go_on_alike
from tests.support.saving import through_keras_file
from tests.support.saving import through_weights_file
from tests.support.shared_code import KINDS
from tests.support.shared_code import both_kinds
from tests.support.trajectories import same_bits

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("functions_run_eagerly"),
]

GRADIENTS = heavy_tailed_gradients(SHAPES, steps=6)


def _checkpoint(model):
    return tf.train.Checkpoint(model=model, optimizer=model.optimizer)


def _through_checkpoint(front_end, saved, make, path):
    file = _checkpoint(saved).write(str(path / "checkpoint"))
    loaded = make()
    loaded.optimizer.build(loaded.trainable_variables)
    _checkpoint(loaded).read(file).assert_consumed()
    return loaded


def _through_checkpoint_before_build(front_end, saved, make, path):
    file = _checkpoint(saved).write(str(path / "checkpoint"))
    loaded = make()
    status = _checkpoint(loaded).read(file)
    loaded.optimizer.build(loaded.trainable_variables)
    status.assert_consumed()
    return loaded


FORMATS = {
    "keras": through_keras_file,
    "weights": through_weights_file,
    "checkpoint": _through_checkpoint,
    "checkpoint-deferred": _through_checkpoint_before_build,
}
# Arguments of Keras with a state, and which front ends have them.
KERAS_ARGUMENTS = (
    ({"monitor": True, "global_clipnorm": 0.5}, (KERAS, TF_KERAS)),
    (
        {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2},
        (KERAS, TF_KERAS),
    ),
    # Saved after three micro-batches of two a step.
    ({"gradient_accumulation_steps": 2}, (KERAS,)),
)


def _cases():
    """Yields front ends, optimizers, arguments, formats and identifiers.

    On Keras 3 each variant is in one format or two, on tf_keras there are two
    kinds of optimizers. One does what is to be known of Keras' arguments.
    """
    for front_end, enrolments in ((KERAS, ENROLMENTS), (TF_KERAS, KINDS)):
        for name, enrolment in enrolments.items():
            for place, key in enumerate(FORMATS):
                variant = enrolment.few[place % len(enrolment.few)]
                arguments = enrolment.variants[variant]
                yield front_end, name, arguments, key, variant
    for arguments, front_ends in KERAS_ARGUMENTS:
        arguments = {**arguments, "learning_rate": 0.125}
        for front_end, key in itertools.product(front_ends, FORMATS):
            last = ",".join(arguments)
            yield front_end, "clip_adam_norm", arguments, key, last


@pytest.mark.parametrize(
    ("front_end", "name", "arguments", "key"),
    [
        pytest.param(*case, id="-".join(map(str, (*case[:2], case[3], last))))
        for *case, last in _cases()
    ],
)
def test_saved_model_goes_on_training_to_the_bit(
    front_end, name, arguments, key, tmp_path
):
    def make():
        optimizer = front_end.optimizer(name, **arguments)
        return dense_model(front_end, optimizer)

    model = make()
    train(front_end, model, GRADIENTS[:3])
    before = everything(front_end, model)
    resumed = FORMATS[key](front_end, model, make, tmp_path)
    assert same_bits(everything(front_end, resumed), before)
    assert same_bits(everything(front_end, model), before)
    assert_go_on_alike(front_end, model, resumed, GRADIENTS[3:])


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
    loaded = unbuilt_model(front_end, front_end.optimizer(enrolment.name))
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
    through_weights_file(front_end, saved, lambda: loaded, tmp_path)
    assert same_bits(
        everything(front_end, loaded), everything(front_end, saved)
    )
    train(front_end, loaded, GRADIENTS[3:])
    assert same_bits(
        front_end.values(loaded.variables), front_end.values(whole.variables)
    )


@both_kinds
@both_front_ends
def test_changed_learning_rate_survives_the_keras_file(
    front_end, enrolment, tmp_path
):
    optimizer = front_end.optimizer(enrolment.name, learning_rate=0.5)
    model = dense_model(front_end, optimizer)
    train(front_end, model, GRADIENTS[:1])
    optimizer.learning_rate = 0.125
    loaded = through_keras_file(front_end, model, None, tmp_path)
    assert float(loaded.optimizer.learning_rate) == 0.125
