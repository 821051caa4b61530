"""Files from before the later variables load, and no others do as such."""

import h5py
import numpy as np
import pytest
import tensorflow as tf

from tests.support.enrolment import every_optimizer
from tests.support.enrolment.record import Polynomial
from tests.support.front_ends import TF_KERAS
from tests.support.front_ends import both_front_ends
from tests.support.gradients import heavy_tailed_gradients
from tests.support.models import SHAPES
from tests.support.models import train
from tests.support.saving import model_for_h5
from tests.support.saving import store_of
from tests.support.shared_code import every_optimizer_once
from tests.support.trajectories import same_bits
from tests.support.trajectories import stepped

# A few steps cost less than a graph of them.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("functions_run_eagerly"),
]

GRADIENTS = heavy_tailed_gradients(SHAPES, steps=4)


@every_optimizer
def test_h5_file_from_before_the_later_variables_loads(enrolment, tmp_path):
    """They are taken out of a file that has them."""
    arguments = enrolment.variants[enrolment.few[1]]
    model = model_for_h5(TF_KERAS, enrolment.name, arguments)
    train(TF_KERAS, model, GRADIENTS[:2])
    model.save(tmp_path / "model.h5")
    later = len(model.optimizer.later_variables)
    assert later
    with h5py.File(tmp_path / "model.h5", "r+") as file:
        names = file["optimizer_weights"].attrs["weight_names"]
        file["optimizer_weights"].attrs["weight_names"] = names[:-later]
    loaded = TF_KERAS.framework.models.load_model(tmp_path / "model.h5")
    for variable in loaded.optimizer.later_variables:
        assert not np.any(TF_KERAS.value(variable))
    for each in (model, loaded):
        train(TF_KERAS, each, GRADIENTS[2:])
    assert same_bits(loaded.get_weights(), model.get_weights())


# Of rules without slots, whose variables are scalars but for two.
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("gclip", {}),
        ("cclip", {}),
        ("clip_adagrad_norm", {}),
        ("clip_adam_norm", {"beta_1": 0.0}),
    ],
)
@pytest.mark.parametrize("old", [False, True])
@both_front_ends
def test_state_with_another_threshold_is_not_taken_for_an_older_file(
    front_end, name, arguments, old
):
    """A schedule has one variable more, as files have since `later_variables`.

    With `old`, the schedule is in the file, and the file is from before.
    """
    thresholds = [1.0, Polynomial(0.5, 0.5)]
    saved, loaded = (
        front_end.optimizer(name, clip_threshold=value, **arguments)
        for value in (reversed(thresholds) if old else thresholds)
    )
    for optimizer in (saved, loaded):
        front_end.apply(
            optimizer, [np.ones(2)], front_end.variables([np.zeros(2)])
        )
    before = front_end.state(loaded)
    store = store_of(saved)
    values = [store[str(i)] for i in range(len(saved.variables))]
    if old:
        values = values[: -len(saved.later_variables)]
        store = {str(i): value for i, value in enumerate(values)}
    with pytest.warns(UserWarning, match="Skipping variable loading"):
        loaded.load_own_variables(store)
    if not old:
        with pytest.raises(ValueError, match="`weights` must hold one array"):
            loaded.set_weights(values)
    assert same_bits(front_end.state(loaded), before)


@both_front_ends
def test_older_file_forgets_what_the_optimizer_has_counted_since(front_end):
    """It is of an optimizer whose variables were always updated."""
    optimizer = front_end.optimizer("clip_adam")
    variables = front_end.variables([np.zeros(2), np.zeros(2)])
    ones = [np.ones(2), np.ones(2)]
    front_end.apply(optimizer, ones, variables)
    values = front_end.state(optimizer)[: -len(optimizer.later_variables)]
    front_end.apply(optimizer, [ones[0], None], variables)
    assert front_end.value(optimizer.missed_updates).tolist() == [0, 1]
    optimizer.clip_total_error.assign(0.5)
    optimizer.load_own_variables({str(i): v for i, v in enumerate(values)})
    assert front_end.value(optimizer.missed_updates).tolist() == [0, 0]
    assert front_end.value(optimizer.clip_total_error) == 0


def test_data_sets_of_other_variables_are_not_taken_for_an_older_file(tmp_path):
    """HDF5 files are read by their data sets, which have the names."""
    model = model_for_h5(TF_KERAS, "gclip", {})
    train(TF_KERAS, model, GRADIENTS[:1])
    model.save(tmp_path / "model.h5")
    other = TF_KERAS.optimizer("gclip", clip_threshold=Polynomial(0.5, 0.5))
    other.build(model.trainable_variables)
    before = TF_KERAS.state(other)
    with h5py.File(tmp_path / "model.h5") as file:
        group = file["optimizer_weights"]
        weights = [group[name] for name in group.attrs["weight_names"]]
        assert len(weights) == len(before) - 1
        with pytest.raises(ValueError, match="`weights` must hold one array"):
            other.set_weights(weights)
    assert same_bits(TF_KERAS.state(other), before)


@every_optimizer_once
def test_checkpoint_from_before_the_later_variables_goes_on(
    front_end, enrolment, tmp_path
):
    """A `tf.train.Checkpoint` without them leaves them at zero."""
    arguments = {"learning_rate": 0.125}
    gradients, x = [np.ones(2), np.full(3, 2.0)], [np.ones(2), np.ones(3)]

    def made(*steps):
        """Returns optimizer, variables, and a checkpoint of both."""
        optimizer, variables = stepped(
            front_end, enrolment.name, arguments, steps, x
        )
        optimizer.build(variables)
        state = optimizer.variables[: -len(optimizer.later_variables)]
        kept = [front_end.native(v) for v in [*state, *variables]]
        return optimizer, variables, tf.train.Checkpoint(kept=kept)

    saved, loaded = made(gradients), made()
    path = saved[-1].save(str(tmp_path / "ckpt"))
    loaded[-1].restore(path).assert_consumed()
    for optimizer, variables, _ in (saved, loaded):
        front_end.apply(optimizer, gradients, variables)
    assert same_bits(*(front_end.values(each[1]) for each in (saved, loaded)))
