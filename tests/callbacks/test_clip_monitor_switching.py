"""ClipMonitor switches monitoring on, and training goes on as without it."""

import functools
import warnings

import keras
import numpy as np
import pytest

from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.front_ends import both_front_ends
from tests.support.models import dense_model
from tests.support.models import unbuilt_model
from tests.support.monitored import Loop
from tests.support.monitored import assert_equal
from tests.support.monitored import assert_switched_on
from tests.support.monitored import fit
from tests.support.monitored import make_monitor
from tests.support.monitored import several
from tests.support.own_steps import model_with_own_step
from tests.support.programs.callbacks import switched_on
from tests.support.programs.callbacks import trainings
from tests.support.refusals import refused
from tests.support.shared_code import every_case
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("front_end", "name"),
    [
        (KERAS, "acclip"),
        (KERAS, "cclip"),
        (KERAS, "clip_adam_norm"),
        (TF_KERAS, "clip_adam_norm"),
    ],
)
def test_no_optimizer_has_to_be_made_for_it(front_end, name):
    loop = Loop(front_end, front_end.optimizer(name, monitor=True))
    optimizer = front_end.optimizer(name)
    monitor = make_monitor(front_end, interval=8)
    fit(unbuilt_model(front_end, optimizer), monitor)
    threshold = optimizer.last_threshold
    assert_equal(monitor.readings, loop.readings([8, 16], threshold))
    assert optimizer.get_config()["monitor"] is True


HOW_TO_COMPILE = {
    "as it is": ({}, "acclip", {}),
    "eagerly": ({"run_eagerly": True}, "cclip", {}),
    "compiled by XLA": ({"jit_compile": True}, "acclip", {}),
    "several steps an execution": (
        {"steps_per_execution": 3},
        "clip_adam",
        {"clipping": "coordinate"},
    ),
}


@every_case(
    "how, name, arguments",
    HOW_TO_COMPILE,
    ["as it is", "several steps an execution"],
)
def test_what_was_traced_without_is_traced_again_once(
    front_end, how, name, arguments
):
    """And the weights of all four trainings are those without a monitor."""
    make = functools.partial(front_end.optimizer, name, **arguments)
    watched, plain = switched_on(front_end, make, **how)
    always = trainings(
        front_end, lambda: make(monitor=True), (False, True, True, False), **how
    )
    steps = 8 if "run_eagerly" in how else 0
    assert_switched_on(watched, plain, always, steps)
    assert [each["traces"] for each in always[1:]] == [steps, steps, steps]


def _chosen(first, second):
    return keras.optimizers.MultiOptimizer(
        lambda variable: second if "second" in variable.path else first
    )


@pytest.mark.parametrize("is_trained", [False, True])
@pytest.mark.parametrize(
    "make",
    [
        lambda: KERAS.scaled(KERAS.optimizer("acclip"), 1024.0),
        lambda: several(KERAS.optimizer("acclip"), KERAS.optimizer("cclip")),
        lambda: _chosen(KERAS.optimizer("acclip"), KERAS.optimizer("cclip")),
    ],
    ids=["LossScaleOptimizer", "MultiOptimizer", "MultiOptimizer by callable"],
)
def test_optimizers_in_others_are_switched_on(make, is_trained):
    optimizer = make()
    model = unbuilt_model(KERAS, optimizer)
    if is_trained:
        fit(model)
    monitor = make_monitor(KERAS, interval=1)
    fit(model, monitor)
    inner = getattr(optimizer, "optimizers", None)
    assert all(each.monitor for each in inner or [optimizer.inner_optimizer])
    for name in monitor.readings[0]:
        if name.endswith(("gradient_norm", "clip_fraction")):
            assert all(reading[name] > 0 for reading in monitor.readings), name
    # Of a callable, the optimizers are known after the first step.
    missed = make.__code__.co_names[0] == "_chosen" and not is_trained
    assert len(monitor.readings) == 16 - missed


@both_front_ends
def test_every_model_that_shares_an_optimizer_is_traced_again(front_end):
    optimizer = front_end.optimizer("acclip")
    one = dense_model(front_end, optimizer)
    fit(one)
    other = type(one)([one.layers[0], *one.layers[1:]])
    other.compile(optimizer=optimizer, loss="mse")
    fit(other)
    readings = []
    for model in (one, other, one, other):
        monitor = make_monitor(front_end, interval=8)
        fit(model, monitor)
        readings.append(monitor.readings[-1])
    assert all(reading["clip_fraction"] > 0 for reading in readings)


def test_what_is_restored_after_it_is_not_of_this_training():
    optimizer = KERAS.optimizer("gclip", clip_threshold=2.0**-20)
    model = dense_model(KERAS, optimizer)
    fit(model)

    def restore(logs):
        optimizer.update_count.assign(100)
        optimizer.clip_total.assign(3.0)

    monitor = make_monitor(KERAS, interval=8)
    restoring = keras.callbacks.LambdaCallback(on_train_begin=restore)
    fit(model, monitor, restoring)
    assert [r["step"] for r in monitor.readings] == [108, 116]
    assert all(r["clip_fraction"] == 1.0 for r in monitor.readings)


@pytest.mark.parametrize("is_trained", [False, True])
@both_front_ends
def test_optimizer_that_is_given_is_switched_on(front_end, is_trained):
    own = front_end.optimizer("acclip")
    model = model_with_own_step(front_end, own)
    if is_trained:
        fit(model)
    monitor = make_monitor(front_end, interval=8, optimizer=own)
    assert own.monitor is False
    fit(model, monitor)
    assert own.monitor is True
    assert all(each["gradient_norm"] > 0 for each in monitor.readings)
    assert len(monitor.readings) == 2


@both_front_ends
def test_what_is_switched_on_by_hand_is_traced_again_too(front_end):
    optimizer = front_end.optimizer("acclip")
    model = dense_model(front_end, optimizer)
    fit(model)
    optimizer.monitor = True
    monitor = make_monitor(front_end)
    fit(model, monitor)
    (reading,) = monitor.readings
    assert reading["gradient_norm"] > 0


@both_front_ends
def test_only_true_and_false_can_be_set(front_end):
    optimizer = front_end.optimizer("acclip")
    with refused("`monitor` must be one of False, True. Received: monitor=1"):
        optimizer.monitor = 1
    assert optimizer.monitor is False


@both_front_ends
def test_saved_model_stays_switched_on(front_end, tmp_path):
    model = dense_model(front_end, front_end.optimizer("acclip"))
    fit(model, make_monitor(front_end))
    model.save(tmp_path / "model.keras")
    models = front_end.framework.models
    loaded = models.load_model(tmp_path / "model.keras")
    assert loaded.optimizer.monitor is True
    assert float(loaded.optimizer.clip_total) > 0


def _function_of(front_end, optimizer, variables):
    import tensorflow as tf

    gradients = [np.ones(v.shape, "float32") for v in variables]
    return tf.function(lambda: front_end.apply(optimizer, gradients, variables))


def _own_loop(front_end, model, monitor, step):
    callbacks = front_end.framework.callbacks.CallbackList(
        [monitor], model=model
    )
    callbacks.on_train_begin()
    callbacks.on_epoch_begin(0)
    for batch in range(8):
        callbacks.on_train_batch_begin(batch)
        step()
    callbacks.on_epoch_end(0, {})
    callbacks.on_train_end()


@both_front_ends
def test_loop_of_ones_own_is_read_unless_it_was_traced_before(front_end):
    """Then it does what it did, and there is a word."""
    weights = []
    for was_traced in (False, True):
        optimizer = front_end.optimizer("acclip", name="own")
        model = dense_model(front_end, optimizer)
        variables = model.trainable_variables
        optimizer.build(variables)

        step = _function_of(front_end, optimizer, variables)
        if was_traced:
            step.get_concrete_function()
        monitor = make_monitor(front_end, interval=4)
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            _own_loop(front_end, model, monitor, step)
        messages = [str(warning.message) for warning in warned]
        told = [m for m in messages if "nothing to read from own" in m]
        assert len(told) == was_traced
        norms = [reading["gradient_norm"] for reading in monitor.readings]
        assert len(norms) == 2
        assert [norm > 0 for norm in norms] == 2 * [not was_traced]
        weights.append(model.get_weights())
    assert same_bits(*weights)


@both_front_ends
def test_nothing_is_told_where_all_is_read(front_end):
    model = dense_model(front_end, front_end.optimizer("acclip"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            fit(model, make_monitor(front_end, interval=1))
