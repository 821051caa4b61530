"""An optimizer's variables have names of their own, and load whole or not."""

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.support.enrolment import ENROLMENTS
from tests.support.enrolment import every_optimizer
from tests.support.enrolment import every_variant
from tests.support.enrolment.record import Adaptive
from tests.support.enrolment.record import Polynomial
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.front_ends import both_front_ends
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.models import SHAPES
from tests.support.models import dense_model
from tests.support.models import everything
from tests.support.models import train
from tests.support.shared_code import both_kinds
from tests.support.shared_code import every_optimizer_once
from tests.support.shared_code import few_variants_once
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow
# A few steps cost less than a graph of them.
eagerly = pytest.mark.usefixtures("functions_run_eagerly")

GRADIENTS = heavy_tailed_gradients(SHAPES, steps=4)
BY_ROW = [2.0 ** np.arange(-1, shape[-1] - 1) for shape in SHAPES]


def _names(optimizer):
    return [getattr(v, "path", v.name) for v in optimizer.variables]


@every_variant
def test_every_variable_has_a_name_of_its_own(enrolment, variant):
    _assert_names_differ(KERAS, enrolment, variant, monitor=True)


@pytest.mark.parametrize("monitor", [False, True])
@few_variants_once
def test_so_it_has_whatever_is_monitored(
    front_end, enrolment, variant, monitor
):
    _assert_names_differ(front_end, enrolment, variant, monitor)


def _assert_names_differ(front_end, enrolment, variant, monitor):
    arguments = {**enrolment.variants[variant], "monitor": monitor}
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


def _model(front_end, optimizer):
    """Returns a model whose loss Keras 3 loads from H5; "mse" it does not."""
    model = dense_model(front_end, optimizer)
    loss = front_end.framework.losses.MeanSquaredError()
    model.compile(optimizer=optimizer, loss=loss)
    return model


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
    name, arguments = FILES[kind]
    model = _model(TF_KERAS, TF_KERAS.optimizer(name, **arguments))
    train(TF_KERAS, model, GRADIENTS[:2])
    model.save(tmp_path / "model.h5")
    loaded = TF_KERAS.framework.models.load_model(tmp_path / "model.h5")
    for each in (model, loaded):
        train(TF_KERAS, each, GRADIENTS[2:])
    assert same_bits(everything(TF_KERAS, loaded), everything(TF_KERAS, model))


@eagerly
@pytest.mark.parametrize("kind", FILES)
def test_model_in_an_h5_file_of_keras_has_the_weights_and_config(
    kind, tmp_path
):
    """Keras 3.15.1 builds no optimizer of such a file on its variables."""
    name, arguments = FILES[kind]
    model = _model(KERAS, KERAS.optimizer(name, **arguments))
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
    name, arguments = FILES[kind]
    model = _model(front_end, front_end.optimizer(name, **arguments))
    save = front_end.framework.callbacks.ModelCheckpoint(
        str(tmp_path / "best.h5")
    )
    x, y = np.ones((4, 3)), np.ones((4, 2))
    model.fit(x, y, verbose=0, callbacks=[save])
    model.save_weights(tmp_path / "weights.weights.h5")
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    model.load_weights(tmp_path / "weights.weights.h5")
    assert same_bits(model.get_weights(), before)
    loaded = front_end.framework.models.load_model(tmp_path / "best.h5")
    assert same_bits(loaded.get_weights(), before)


@eagerly
@every_optimizer
def test_h5_file_from_before_the_later_variables_loads(enrolment, tmp_path):
    """They are taken out of a file that has them."""
    variant = enrolment.few[1]
    model = _model(
        TF_KERAS,
        TF_KERAS.optimizer(enrolment.name, **_shapeless(enrolment, variant)),
    )
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


def _shapeless(enrolment, variant):
    """Returns arguments that fit variables of any shapes."""
    arguments = dict(enrolment.variants[variant])
    threshold = arguments.get("clip_threshold")
    if isinstance(getattr(threshold, "scale", threshold), list):
        arguments["clip_threshold"] = 0.5
    return arguments


def _frozen(front_end, optimizer, layer):
    """Returns a model of two layers of which one is frozen."""
    model = dense_model(front_end, optimizer)
    model.get_layer(layer).trainable = False
    model.compile(optimizer=optimizer, loss="mse")
    model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    return model


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

    def optimizer():
        return front_end.optimizer(name, monitor=monitor)

    saved = dense_model(front_end, optimizer())
    saved.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    loaded = _frozen(front_end, optimizer(), "first")
    before = front_end.state(loaded.optimizer)
    if front_end is TF_KERAS:
        saved.save(tmp_path / "model.keras")
        store = _store_of(front_end, saved.optimizer)
        loaded.optimizer.load_own_variables(store)
        assert same_bits(front_end.state(loaded.optimizer), before)
        return
    saved.save_weights(tmp_path / "model.weights.h5")
    with pytest.warns(UserWarning, match="Skipping variable loading for opti"):
        loaded.load_weights(tmp_path / "model.weights.h5")
    assert same_bits(loaded.get_weights(), saved.get_weights())
    assert same_bits(front_end.state(loaded.optimizer), before)
    loaded.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)


def _store_of(front_end, optimizer):
    store = {}
    optimizer.save_own_variables(store)
    return store


@pytest.mark.parametrize("name", ["gclip", "cclip", "clip_adagrad_norm"])
@both_front_ends
def test_warning_names_the_variable_and_both_shapes(front_end, name):
    optimizers = [front_end.optimizer(name) for _ in range(2)]
    for count, optimizer in enumerate(optimizers, start=1):
        optimizer.build(front_end.variables([np.zeros(2)] * count))
    store = _store_of(front_end, optimizers[0])
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
    # One that lacks the later variables too: arrays do not say what they are.
    later = len(optimizer.later_variables)
    for count in (len(ones) - 3, len(ones) - later, len(ones) + 1):
        with pytest.raises(ValueError) as error:
            optimizer.set_weights([*ones, np.ones(())][:count])
        assert str(error.value).startswith("`weights` must hold one array for")
        assert str(error.value).endswith(
            f"it has {len(ones)} variables whereas the saved optimizer has "
            f"{count} variables"
        )
    wrong = [*ones[:-1], np.ones((7, 7))]
    with pytest.raises(ValueError) as error:
        optimizer.set_weights(wrong)
    assert str(error.value).startswith("`weights` must hold one array for each")
    assert str(error.value).endswith("the saved one has the shape (7, 7)")
    assert same_bits(front_end.state(optimizer), before)
    optimizer.set_weights(ones)
    assert same_bits(front_end.state(optimizer), ones)


# Of rules without slots, whose variables are scalars but for two.
@eagerly
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
        variables = front_end.variables([np.zeros(2)])
        front_end.apply(optimizer, [np.ones(2)], variables)
    before = front_end.state(loaded)
    store = _store_of(front_end, saved)
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


@eagerly
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


@eagerly
def test_data_sets_of_other_variables_are_not_taken_for_an_older_file(tmp_path):
    """HDF5 files are read by their data sets, which have the names."""
    model = _model(TF_KERAS, TF_KERAS.optimizer("gclip"))
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


@eagerly
@every_optimizer_once
def test_checkpoint_from_before_the_later_variables_goes_on(
    front_end, enrolment, tmp_path
):
    """A `tf.train.Checkpoint` without them leaves them at zero."""
    arguments = {"learning_rate": 0.125}
    ends = []
    variables = front_end.variables([np.ones(2), np.ones(3)])
    optimizer = front_end.optimizer(enrolment.name, **arguments)
    gradients = [np.ones(2), np.full(3, 2.0)]
    front_end.apply(optimizer, gradients, variables)
    state = [v for v in _native(front_end, optimizer.variables)]
    kept = state[: len(state) - len(optimizer.later_variables)]
    path = tf.train.Checkpoint(
        state=kept, x=_native(front_end, variables)
    ).save(str(tmp_path / "ckpt"))
    front_end.apply(optimizer, gradients, variables)
    ends.append(front_end.values(variables))

    variables = front_end.variables([np.zeros(2), np.zeros(3)])
    optimizer = front_end.optimizer(enrolment.name, **arguments)
    optimizer.build(variables)
    state = _native(front_end, optimizer.variables)[: len(kept)]
    tf.train.Checkpoint(state=state, x=_native(front_end, variables)).restore(
        path
    ).assert_consumed()
    front_end.apply(optimizer, gradients, variables)
    ends.append(front_end.values(variables))
    assert same_bits(*ends)


def _native(front_end, variables):
    return [front_end.native(variable) for variable in variables]


def test_sum_of_shares_loses_nothing_in_ten_million_updates():
    """Of 2^24 in float32, the next number is two more."""
    optimizer = KERAS.optimizer("cclip", clip_threshold=1.0, monitor=True)
    (x,) = KERAS.variables([np.zeros(10)])
    optimizer.build([x])
    optimizer.clip_total.assign(2.0**24)
    gradient = np.where(np.arange(10) < 3, 2.0, 0.5)
    for _ in range(100):
        KERAS.apply(optimizer, [gradient], [x])
    total = np.float64(KERAS.value(optimizer.clip_total))
    error = np.float64(KERAS.value(optimizer.clip_total_error))
    np.testing.assert_allclose(total - error - 2**24, 30.0, rtol=1e-6)
