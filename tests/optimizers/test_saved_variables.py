"""An optimizer's variables have names of their own, and load whole or not."""

import h5py
import keras
import numpy as np
import pytest

from tests.support.enrolment import ENROLMENTS
from tests.support.enrolment import every_variant
from tests.support.enrolment.record import Adaptive
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.front_ends import both_front_ends
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.models import SHAPES
from tests.support.models import fit
from tests.support.models import train
from tests.support.models import unbuilt_model
from tests.support.refusals import refused_naming
from tests.support.saving import assert_go_on_alike
from tests.support.saving import model_for_h5
from tests.support.saving import store_of
from tests.support.shared_code import both_kinds
from tests.support.shared_code import every_optimizer_once
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow
# A few steps cost less than a graph of them.
eagerly = pytest.mark.usefixtures("functions_run_eagerly")

GRADIENTS = heavy_tailed_gradients(SHAPES, steps=4)
BY_ROW = [2.0 ** np.arange(-1, shape[-1] - 1) for shape in SHAPES]


def _names(optimizer):
    return [getattr(v, "path", v.name) for v in optimizer.variables]


@every_variant
@both_front_ends
def test_every_variable_has_a_name_of_its_own(front_end, enrolment, variant):
    arguments = {**enrolment.variants[variant], "monitor": True}
    optimizer = front_end.optimizer(enrolment.name, **arguments, use_ema=True)
    optimizer.build(front_end.variables(parameters()))
    names = _names(optimizer)
    assert len(set(names)) == len(names) > 10


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@both_kinds
@both_front_ends
def test_so_it_has_where_the_models_variables_do_not(
    front_end, enrolment, dtype
):
    more = {"gradient_accumulation_steps": 2} if front_end is KERAS else {}
    optimizer = front_end.optimizer(enrolment.name, use_ema=True, **more)
    variables = [
        front_end.variable(np.zeros(2), dtype, name="x") for _ in range(3)
    ]
    optimizer.build(variables)
    names = _names(optimizer)
    assert len(set(names)) == len(names)


FILES = {
    "adaptive by layer": (
        "clip_adam",
        {"clip_threshold": Adaptive(0.5, 0.75), "clipping": "layer"},
    ),
    "adaptive": ("gclip", {"clip_threshold": Adaptive(0.5, 0.75)}),
    "arrays": ("cclip", {"clip_threshold": BY_ROW, "momentum": 0.5}),
    "monitor": ("acclip", {"bias_correction": True, "monitor": True}),
}


@eagerly
@pytest.mark.parametrize("kind", FILES)
def test_model_in_an_h5_file_of_tf_keras_goes_on_to_the_bit(kind, tmp_path):
    model = model_for_h5(TF_KERAS, *FILES[kind])
    train(TF_KERAS, model, GRADIENTS[:2])
    model.save(tmp_path / "model.h5")
    loaded = TF_KERAS.framework.models.load_model(tmp_path / "model.h5")
    assert_go_on_alike(TF_KERAS, model, loaded, GRADIENTS[2:])


@eagerly
@pytest.mark.parametrize("kind", FILES)
def test_model_in_an_h5_file_of_keras_has_the_weights_and_config(
    kind, tmp_path
):
    """Keras 3.15.1 builds no optimizer of such a file on its variables."""
    model = model_for_h5(KERAS, *FILES[kind])
    train(KERAS, model, GRADIENTS[:2])
    model.save(tmp_path / "model.h5")
    loaded = keras.models.load_model(tmp_path / "model.h5")
    assert same_bits(loaded.get_weights(), model.get_weights())
    config = model.optimizer.get_config()
    assert loaded.optimizer.get_config() == config
    with h5py.File(tmp_path / "model.h5") as file:
        saved = [*file["optimizer_weights"].attrs["weight_names"]]
    assert len(saved) == len(model.optimizer.variables)


@eagerly
@pytest.mark.parametrize("kind", FILES)
@both_front_ends
def test_weights_and_checkpoints_in_h5_files_are_written(
    front_end, kind, tmp_path
):
    model = model_for_h5(front_end, *FILES[kind])
    save = front_end.framework.callbacks.ModelCheckpoint(
        str(tmp_path / "best.h5")
    )
    fit(model, save, epochs=1)
    model.save_weights(tmp_path / "weights.weights.h5")
    before = model.get_weights()
    fit(model, epochs=1)
    model.load_weights(tmp_path / "weights.weights.h5")
    assert same_bits(model.get_weights(), before)
    loaded = front_end.framework.models.load_model(tmp_path / "best.h5")
    assert same_bits(loaded.get_weights(), before)


@eagerly
@pytest.mark.parametrize(
    ("front_end", "name", "monitor"),
    [
        *((KERAS, name, False) for name in ENROLMENTS),
        # The slots of some rules do not tell, by their number, what was frozen.
        *((KERAS, name, True) for name in ("acclip", "gclip")),
        *((TF_KERAS, name, False) for name in ("acclip", "gclip")),
        (TF_KERAS, "gclip", True),
    ],
)
def test_state_of_a_model_frozen_otherwise_is_left_out_with_a_warning(
    front_end, name, monitor, tmp_path
):
    """The weights load; of the optimizer all stays as it was."""
    saved, loaded = (
        unbuilt_model(front_end, front_end.optimizer(name, monitor=monitor))
        for _ in range(2)
    )
    loaded.get_layer("first").trainable = False
    loaded.compile(optimizer=loaded.optimizer, loss="mse")
    for model in (saved, loaded):
        fit(model, epochs=1, batch_size=32)
    before = front_end.state(loaded.optimizer)
    if front_end is TF_KERAS:
        store = store_of(saved.optimizer)
        loaded.optimizer.load_own_variables(store)
        assert same_bits(front_end.state(loaded.optimizer), before)
        return
    saved.save_weights(tmp_path / "model.weights.h5")
    with pytest.warns(UserWarning, match="Skipping variable loading for opti"):
        loaded.load_weights(tmp_path / "model.weights.h5")
    assert same_bits(loaded.get_weights(), saved.get_weights())
    assert same_bits(front_end.state(loaded.optimizer), before)
    fit(loaded, epochs=1, batch_size=32)


@pytest.mark.parametrize("name", ["gclip", "cclip", "clip_adagrad_norm"])
@both_front_ends
def test_warning_names_the_variable_and_both_shapes(front_end, name):
    optimizers = [front_end.optimizer(name) for _ in range(2)]
    for count, optimizer in enumerate(optimizers, start=1):
        optimizer.build(front_end.variables([np.zeros(2)] * count))
    store = store_of(optimizers[0])
    with pytest.warns(UserWarning) as warned:
        optimizers[1].load_own_variables(store)
    (message,) = (str(w.message) for w in warned)
    assert message.startswith("Skipping variable loading for optimizer ")
    assert "gradient_norms" in message
    assert message.endswith(
        "has the shape (2,) whereas the saved one has the shape (1,)."
    )


@every_optimizer_once
def test_weights_of_the_optimizer_are_set_all_or_none(front_end, enrolment):
    optimizer = front_end.optimizer(enrolment.name)
    optimizer.build(front_end.variables([np.zeros(2), np.zeros(3)]))
    before = front_end.state(optimizer)
    ones = [np.ones_like(value) for value in before]
    start = "`weights` must hold one array for each"
    # One that lacks the later variables too: arrays do not say what they are.
    later = len(optimizer.later_variables)
    for count in (len(ones) - 3, len(ones) - later, len(ones) + 1):
        reason = (
            f"it has {len(ones)} variables whereas the saved optimizer has "
            f"{count} variables"
        )
        with refused_naming(start, reason):
            optimizer.set_weights([*ones, np.ones(())][:count])
    with refused_naming(start, "the saved one has the shape (7, 7)"):
        optimizer.set_weights([*ones[:-1], np.ones((7, 7))])
    assert same_bits(front_end.state(optimizer), before)
    optimizer.set_weights(ones)
    assert same_bits(front_end.state(optimizer), ones)
