"""An optimizer's threshold can change between steps; what else it takes."""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_clip
from keras_clip import thresholds
from tests.enrolment import ENROLMENTS
from tests.enrolment.record import Adaptive
from tests.enrolment.record import Polynomial
from tests.front_ends import both_front_ends
from tests.gradients import SHAPES
from tests.gradients import heavy_tailed_gradients
from tests.gradients import parameters
from tests.models import SHAPES as MODEL_SHAPES
from tests.models import dense_model
from tests.models import everything
from tests.models import train
from tests.programs.launch import run_program
from tests.programs.thresholds import CASES
from tests.programs.thresholds import as_argument
from tests.programs.thresholds import ends
from tests.trajectories import assert_close
from tests.trajectories import oracle_of
from tests.trajectories import same_bits


def _arrays(*numbers, shapes=SHAPES):
    """Returns arrays of several shapes that broadcast, one of them whole."""
    arrays = [np.float64(number) for number in numbers]
    arrays[0] = np.full(shapes[0][1:], arrays[0])
    arrays[1] = arrays[1] * 2.0 ** (np.arange(shapes[1][0]) - 2)
    return arrays


# The optimizer, its arguments, its threshold, and the one that replaces it.
KINDS = {
    "number": ("gclip", {"momentum": 0.5}, 16.0, 0.5),
    "polynomial": (
        "clip_adam_norm",
        {"delay": 1},
        Polynomial(8.0, 0.25),
        Polynomial(0.5, -0.5),
    ),
    "adaptive": (
        "clip_adagrad_norm",
        {},
        Adaptive(0.75, 0.75, 1.0),
        Adaptive(0.25, 0.5, 1.5),
    ),
    "adaptive, by layer": (
        "clip_adam",
        {"clipping": "layer"},
        Adaptive(0.5, 0.5, 1.5),
        Adaptive(0.25, 0.75, 1.0),
    ),
    "of clipped norms": (
        "gclip",
        {},
        Adaptive(1.25, 0.5, 1.5, "clipped", 2),
        Adaptive(4.0, 0.75, 1.0, "clipped", 3),
    ),
    "of clipped norms, by layer": (
        "clip_adam",
        {"clipping": "layer"},
        Adaptive(1.25, 0.5, 1.5, "clipped", 1),
        Adaptive(2.0, 0.75, 1.0, "clipped", 4),
    ),
    "arrays": ("cclip", {}, _arrays(2.0, 1.0, 4.0), _arrays(0.25, 0.5, 0.125)),
    "polynomial of arrays": (
        "clip_adagrad",
        {"clipping": "coordinate"},
        Polynomial(_arrays(0.5, 0.25, 4.0), 0.5),
        Polynomial(_arrays(2.0, 1.0, 0.125), -0.5),
    ),
}
every_kind = pytest.mark.parametrize("kind", KINDS)


def _written(value):
    return thresholds.serialize(thresholds.get(as_argument(value)))


def _optimizer(front_end, name, arguments, threshold):
    return front_end.optimizer(
        name, learning_rate=0.125, clip_threshold=threshold, **arguments
    )


@pytest.mark.parametrize("jit_compile", [None, False, True])
@every_kind
@both_front_ends
def test_changed_threshold_clips_from_the_next_step_without_a_retrace(
    front_end, kind, jit_compile
):
    """In eager mode, in a graph, and in a compiled graph."""
    name, arguments, first, second = KINDS[kind]
    optimizer = _optimizer(front_end, name, arguments, first)
    variables = front_end.variables(parameters(), "float64")
    optimizer.build(variables)
    traces = 0

    def step(gradients):
        nonlocal traces
        traces += 1
        front_end.apply(optimizer, gradients, variables)

    if jit_compile is not None:
        step = tf.function(step, jit_compile=jit_compile)
    oracle, rate_at = oracle_of(
        ENROLMENTS[name],
        {"learning_rate": 0.125, "clip_threshold": first, **arguments},
        parameters(),
    )
    actual, expected = [parameters()], [parameters()]
    gradients = heavy_tailed_gradients(steps=5)
    for index, gradient in enumerate(gradients):
        if index == 2:
            optimizer.clip_threshold = as_argument(second)
            oracle.clip.replace(second, oracle.k, oracle.counts)
        step([front_end.tensor(g, "float64") for g in gradient])
        actual.append(front_end.values(variables))
        expected.append(oracle.step(gradient, rate_at(index)))
    assert_close(actual, expected, "float64")
    assert traces == (5 if jit_compile is None else 1)


@every_kind
@both_front_ends
def test_threshold_reads_as_what_it_is_now(front_end, kind):
    name, arguments, first, second = KINDS[kind]
    optimizer = _optimizer(front_end, name, arguments, first)
    types = {"number": float, "arrays": list}
    expected = types.get(kind, type(as_argument(first)))

    def assert_reads(value):
        read = optimizer.clip_threshold
        assert type(read) is expected
        assert _written(read) == _written(value)
        config = json.loads(json.dumps(optimizer.get_config()))
        assert config["clip_threshold"] == _written(value)
        again = type(optimizer).from_config(config)
        assert _written(again.clip_threshold) == _written(value)

    assert_reads(first)
    optimizer.clip_threshold = as_argument(second)
    assert_reads(second)
    optimizer.build(front_end.variables(parameters()))
    assert_reads(second)
    optimizer.clip_threshold = as_argument(first)
    assert_reads(first)


@every_kind
@both_front_ends
def test_threshold_that_was_read_can_be_set_again(front_end, kind):
    name, arguments, first, second = KINDS[kind]
    optimizer, other = (
        _optimizer(front_end, name, arguments, value)
        for value in (first, second)
    )
    for each in (optimizer, other):
        each.build(front_end.variables(parameters()))
    optimizer.clip_threshold = other.clip_threshold
    assert _written(optimizer.clip_threshold) == _written(second)


SAVED = {
    "number": KINDS["number"],
    "adaptive, by layer": KINDS["adaptive, by layer"],
    "arrays": (
        "cclip",
        {},
        _arrays(2.0, 1.0, 4.0, 1.0, shapes=MODEL_SHAPES),
        _arrays(0.25, 0.5, 0.125, 0.5, shapes=MODEL_SHAPES),
    ),
}


@pytest.mark.parametrize("file", ["model.keras", "model.weights.h5"])
@pytest.mark.parametrize("kind", SAVED)
@both_front_ends
def test_changed_threshold_survives_the_file(front_end, kind, file, tmp_path):
    name, arguments, first, second = SAVED[kind]

    def make():
        optimizer = _optimizer(front_end, name, arguments, first)
        return dense_model(front_end, optimizer)

    gradients = heavy_tailed_gradients(MODEL_SHAPES, steps=4)
    model = make()
    train(front_end, model, gradients[:1])
    model.optimizer.clip_threshold = as_argument(second)
    train(front_end, model, gradients[1:2])
    if file == "model.keras":
        model.save(tmp_path / file)
        loaded = front_end.framework.models.load_model(tmp_path / file)
    else:
        model.save_weights(tmp_path / file)
        loaded = make()
        loaded.optimizer.build(loaded.trainable_variables)
        loaded.load_weights(tmp_path / file)
    assert _written(loaded.optimizer.clip_threshold) == _written(second)
    for each in (model, loaded):
        train(front_end, each, gradients[2:])
    assert same_bits(
        everything(front_end, loaded), everything(front_end, model)
    )


@pytest.mark.parametrize("case", CASES)
@both_front_ends
def test_callback_of_fit_changes_the_threshold(front_end, case):
    found = ends(front_end, case)
    assert same_bits(found["called"], found["by_hand"])
    assert not same_bits(found["called"][:4], found["unchanged"][:4])


@pytest.fixture(scope="module")
def ends_on_jax(tmp_path_factory):
    path = tmp_path_factory.mktemp("thresholds") / "ends.npz"
    run_program("thresholds", path, backend="jax")
    with np.load(path) as arrays:
        return dict(arrays)


@pytest.mark.parametrize("case", CASES)
def test_callback_of_fit_on_jax_changes_the_threshold(ends_on_jax, case):
    called, by_hand, unchanged = (
        [
            value
            for key, value in ends_on_jax.items()
            if key.startswith(f"{case}/{way}_")
        ]
        for way in ("called", "by_hand", "unchanged")
    )
    assert len(called) > 8
    assert same_bits(called, by_hand)
    assert not same_bits(called[:4], unchanged[:4])


def _moment(front_end, optimizer):
    (moment,) = (
        front_end.value(variable)
        for variable in optimizer.variables
        if "threshold_moment" in variable.name
    )
    return moment


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize("clipping", ["layer", "coordinate"])
@both_front_ends
def test_variable_without_a_gradient_keeps_its_moment(front_end, clipping):
    """So does one whose gradient is bad; the others' go on."""
    optimizer = _optimizer(
        front_end, "clip_adam", {"clipping": clipping}, Adaptive(0.5, 0.5, 1.0)
    )
    variables = front_end.variables(parameters(), "float64")
    first, second, third = heavy_tailed_gradients(steps=3)
    front_end.apply(optimizer, first, variables)
    norms = [np.linalg.norm(g) for g in first]
    expected = np.array(norms) / 2
    np.testing.assert_allclose(_moment(front_end, optimizer), expected)

    front_end.apply(optimizer, [second[0], None, second[2]], variables)
    expected[0] = (expected[0] + np.linalg.norm(second[0])) / 2
    expected[2] = (expected[2] + np.linalg.norm(second[2])) / 2
    np.testing.assert_allclose(_moment(front_end, optimizer), expected)

    third[2] = np.array(np.nan)
    front_end.apply(optimizer, third, variables)
    expected[0] = (expected[0] + np.linalg.norm(third[0])) / 2
    expected[1] = (expected[1] + np.linalg.norm(third[1])) / 2
    np.testing.assert_allclose(_moment(front_end, optimizer), expected)


@both_front_ends
def test_a_spike_hardly_raises_the_threshold_of_clipped_norms(front_end):
    """A norm a thousand times the usual, of 1; β = .99 and c = 2.

    Of the raw norm the moment is .99 + .01 · 1,000 = 10.99, of the clipped one
    .99 + .01 · 2 = 1.01.
    """
    after = {}
    for of in ("raw", "clipped"):
        threshold = Adaptive(2.0, 0.99, 1.0, of)
        optimizer = front_end.optimizer("gclip", clip_threshold=threshold)
        (x,) = front_end.variables([np.zeros(1)])
        for norm in [1.0] * 600 + [1000.0, 1.0]:
            front_end.apply(optimizer, [np.array([norm])], [x])
        after[of] = optimizer.last_threshold
    np.testing.assert_allclose(after["raw"], 2 * 10.9, rtol=0.01)
    # The threshold of the last update is of the moment after the spike.
    np.testing.assert_allclose(after["clipped"], 2 * 1.01, rtol=1e-4)


@both_front_ends
def test_norms_that_have_grown_are_followed_as_fast_as_the_docstring_says(
    front_end,
):
    """From 1 to 10 at β = .9, c = 2 and α = 1: about 23 updates."""
    threshold = Adaptive(2.0, 0.9, 1.0, "clipped", 5)
    optimizer = front_end.optimizer("gclip", clip_threshold=threshold)
    (x,) = front_end.variables([np.zeros(1)])
    for _ in range(5):
        front_end.apply(optimizer, [np.array([1.0])], [x])
    updates = 0
    while updates < 100 and optimizer.last_threshold < 10 or not updates:
        front_end.apply(optimizer, [np.array([10.0])], [x])
        updates += 1
    assert np.log(5) / 0.1 < updates < np.log(10) / 0.09


@pytest.mark.parametrize("reason", ["skipped", "warm-up"])
@both_front_ends
def test_skipped_step_changes_nothing_of_the_clipped_moment(front_end, reason):
    optimizer = front_end.optimizer(
        "gclip", clip_threshold=Adaptive(2.0, 0.5, 1.0, "clipped", 2)
    )
    (x,) = front_end.variables([np.zeros(1)])
    for norm in [4.0] * (1 if reason == "warm-up" else 3):
        front_end.apply(optimizer, [np.array([norm])], [x])
    without = ("skipped_steps", "skipped_in_a_row", "gradient_norm")
    without = (*without, "gradient_norms", "iterations")
    before = front_end.state(optimizer, without)
    front_end.apply(optimizer, [np.array([np.inf])], [x])
    assert same_bits(front_end.state(optimizer, without), before)


@keras.saving.register_keras_serializable("tests")
class HalvingThreshold(thresholds.Threshold):
    """Of a user's own: it halves every so many updates, from a start."""

    def __init__(self, scale, every=2, label="mine"):
        super().__init__(scale)
        self.every = float(every)
        self.label = label

    @property
    def parameters(self):
        return (self.every,)

    def with_numbers(self, scale, parameters):
        return type(self)(scale, *parameters, self.label)

    def unit(self, k, parameters, moment):
        (every,) = parameters
        return 0.5 ** keras.ops.floor((k - 1) / every)

    def get_config(self):
        own = {"every": self.every, "label": self.label}
        return {**super().get_config(), **own}


@pytest.mark.parametrize("file", ["model.keras", "model.h5"])
@both_front_ends
def test_threshold_of_a_users_own_is_saved_and_loaded_as_itself(
    front_end, file, tmp_path
):
    optimizer = front_end.optimizer(
        "gclip", clip_threshold=HalvingThreshold(4.0, 1, label="tuned")
    )
    model = dense_model(front_end, optimizer)
    loss = front_end.framework.losses.MeanSquaredError()
    model.compile(optimizer=optimizer, loss=loss)
    gradients = heavy_tailed_gradients(MODEL_SHAPES, steps=4)
    train(front_end, model, gradients[:2])
    model.save(tmp_path / file)
    loaded = front_end.framework.models.load_model(tmp_path / file)
    threshold = loaded.optimizer.clip_threshold
    assert type(threshold) is HalvingThreshold
    expected = {"scale": 4.0, "every": 1.0, "label": "tuned"}
    assert threshold.get_config() == expected
    if (front_end.name, file) == ("keras", "model.h5"):
        # Keras 3.15.1 builds no optimizer of such a file on its variables.
        return
    for each in (model, loaded):
        train(front_end, each, gradients[2:])
    assert same_bits(
        everything(front_end, loaded), everything(front_end, model)
    )
    assert loaded.optimizer.last_threshold == 0.5


@pytest.mark.parametrize(
    ("first", "second", "norm"),
    [
        (Adaptive(1.0, 0.9), Adaptive(1.0, 0.999), 1.0),
        (Adaptive(1.0, 0.999), Adaptive(1.0, 0.9), 1.0),
        (Adaptive(1.5, 0.99, 1.0), Adaptive(1.5, 0.99, 2.0), 0.005),
        (
            Adaptive(1.5, 0.99, 1.0, "clipped", 5),
            Adaptive(1.5, 0.9, 2.0, "clipped", 5),
            0.005,
        ),
    ],
    ids=str,
)
@both_front_ends
def test_threshold_that_is_set_knows_of_the_norms_before(
    front_end, first, second, norm
):
    """Of norms that are always the same, the threshold stays a multiple."""
    optimizer = front_end.optimizer("gclip", clip_threshold=first)
    (x,) = front_end.variables([np.zeros(1)])
    for threshold in (first, second):
        optimizer.clip_threshold = threshold.threshold()
        for _ in range(20):
            front_end.apply(optimizer, [np.array([norm])], [x])
            expected = threshold.multiplier * norm
            if np.isfinite(optimizer.last_threshold):
                np.testing.assert_allclose(
                    optimizer.last_threshold, expected, rtol=1e-3
                )
    assert np.isfinite(optimizer.last_threshold)


@pytest.mark.parametrize("of", ["raw", "clipped"])
@both_front_ends
def test_multiplier_that_is_set_leaves_the_moments_as_they_are(front_end, of):
    optimizer = front_end.optimizer(
        "clip_adam",
        clipping="layer",
        clip_threshold=Adaptive(2.0, 0.9, 1.5, of),
    )
    variables = front_end.variables(parameters())
    for gradient in heavy_tailed_gradients(steps=3):
        front_end.apply(optimizer, gradient, variables)
    before = _moments(front_end, optimizer)
    optimizer.clip_threshold = Adaptive(4.0, 0.9, 1.5, of).threshold()
    assert len(before) == (2 if of == "clipped" else 1)
    assert same_bits(_moments(front_end, optimizer), before)


def _moments(front_end, optimizer):
    return [
        front_end.value(variable)
        for variable in optimizer.variables
        if "threshold_moment" in variable.name
    ]


@pytest.mark.parametrize(
    "threshold",
    [
        1e39,
        1e-50,
        Polynomial(1e39, 0.5),
        Adaptive(1.0, 0.99999999),
        Adaptive(1.00000001, of="clipped"),
    ],
    ids=str,
)
@both_front_ends
def test_number_that_float32_does_not_hold_is_refused_at_the_build(
    front_end, threshold
):
    """Not where the model is saved, after the training."""
    optimizer = front_end.optimizer("gclip", clip_threshold=threshold)
    with pytest.raises(ValueError) as error:
        optimizer.build(front_end.variables([np.zeros(1)]))
    assert str(error.value).startswith(
        "`clip_threshold` must have numbers that float32 holds. Received: "
    )
    optimizer = front_end.optimizer("gclip", clip_threshold=threshold)
    optimizer.build(front_end.variables([np.zeros(1)], "float64"))


class _Decaying(thresholds.Threshold):
    """Of a user's own: `rate` is no parameter."""

    def __init__(self, scale, rate=0.5):
        super().__init__(scale)
        self.rate = rate

    def unit(self, k, parameters, moment):
        return 1 / (1 + self.rate * k)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


class _Required(HalvingThreshold):
    """It needs an argument that its parameters do not give."""

    def __init__(self, scale, every, label, power):
        super().__init__(scale, every, label)
        self.power = power

    with_numbers = thresholds.Threshold.with_numbers


@both_front_ends
def test_argument_that_is_no_parameter_of_a_threshold_is_kept(front_end):
    optimizer = front_end.optimizer(
        "gclip", learning_rate=1.0, clip_threshold=_Decaying(3.0, 2.0)
    )
    (x,) = front_end.variables([np.zeros(1)])
    front_end.apply(optimizer, [np.array([8.0])], [x])
    assert front_end.value(x).tolist() == [-1.0]
    expected = {"scale": 3.0, "rate": 2.0}
    assert optimizer.clip_threshold.get_config() == expected
    optimizer.clip_threshold = _Decaying(5.0, 2.0)
    front_end.apply(optimizer, [np.array([8.0])], [x])
    assert front_end.value(x).tolist() == [-2.0]


@both_front_ends
def test_argument_that_is_no_parameter_cannot_be_set_between_steps(front_end):
    optimizer = front_end.optimizer("gclip", clip_threshold=_Decaying(3.0))
    optimizer.build(front_end.variables([np.zeros(1)]))
    with pytest.raises(ValueError, match="only its scale and `parameters` can"):
        optimizer.clip_threshold = _Decaying(3.0, 0.25)


@both_front_ends
def test_threshold_that_does_not_give_itself_back_is_refused(front_end):
    with pytest.raises(ValueError) as error:
        front_end.optimizer("gclip", clip_threshold=_Required(1.0, 2, "a", 3))
    message = str(error.value)
    assert message.startswith("`clip_threshold` must be what its `with_numbers")
    assert "Received: clip_threshold=_Required(" in message


@both_front_ends
def test_threshold_of_a_users_own_can_be_set_between_steps(front_end):
    optimizer = front_end.optimizer(
        "gclip", learning_rate=1.0, clip_threshold=HalvingThreshold(4.0)
    )
    (x,) = front_end.variables([np.zeros(1)])
    front_end.apply(optimizer, [np.array([8.0])], [x])
    optimizer.clip_threshold = HalvingThreshold(1.0, 8)
    front_end.apply(optimizer, [np.array([8.0])], [x])
    assert front_end.value(x).tolist() == [-5.0]
    assert optimizer.clip_threshold.get_config()["every"] == 8.0


def test_threshold_that_is_not_registered_is_named_where_it_is_loaded():
    config = {"scale": 1.0}
    identifier = {
        "module": "nowhere",
        "class_name": "LostThreshold",
        "config": config,
        "registered_name": "LostThreshold",
    }
    with pytest.raises(ValueError) as error:
        keras_clip.GClip(clip_threshold=identifier)
    message = str(error.value)
    assert message.startswith("`clip_threshold` must be of a class that is reg")
    assert "LostThreshold" in message
    assert message.endswith(f"Received: clip_threshold={identifier!r}")
    assert "\n" not in message
    other = keras.saving.serialize_keras_object(keras_clip.GClip())
    with pytest.raises(
        ValueError, match="what its `get_config` returns: it is "
    ):
        keras_clip.GClip(clip_threshold=other)


@both_front_ends
def test_arrays_do_not_follow_a_clipped_norm(front_end):
    class OfClipped(_ShareOfNorm):
        of = "clipped"

    with pytest.raises(ValueError, match="must be one number where it follows"):
        front_end.optimizer(
            "cclip", clip_threshold=OfClipped((np.ones(2), np.ones(1)))
        )


class _ShareOfNorm(thresholds.Threshold):
    """For each variable an array times the norm of its gradient."""

    moves_with_norm = True

    def moment_after(self, k, parameters, norm, moment):
        return norm

    def unit(self, k, parameters, moment):
        return moment


@both_front_ends
def test_arrays_that_follow_the_norm_are_each_for_their_own_variable(front_end):
    scales = (np.float64([0.25, 2.0]), np.float64(0.5))
    optimizer = front_end.optimizer(
        "cclip", learning_rate=1.0, clip_threshold=_ShareOfNorm(scales)
    )
    variables = front_end.variables([np.zeros(2), np.zeros(1)])
    front_end.apply(optimizer, [np.array([3, 4]), np.array([8])], variables)
    x, y = front_end.values(variables)
    np.testing.assert_allclose(x, [-1.25, -4.0], rtol=1e-6)
    np.testing.assert_allclose(y, [-4.0], rtol=1e-6)
