"""An optimizer's threshold can change between steps; what else it takes."""

import json
import tracemalloc

import numpy as np
import pytest
import tensorflow as tf

from keras_clip import thresholds
from tests.support.enrolment import ENROLMENTS
from tests.support.enrolment.record import Adaptive
from tests.support.enrolment.record import Polynomial
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.front_ends import both_front_ends
from tests.support.gradients import SHAPES
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.models import SHAPES as MODEL_SHAPES
from tests.support.models import dense_model
from tests.support.models import train
from tests.support.programs.thresholds import CASES
from tests.support.programs.thresholds import as_argument
from tests.support.programs.thresholds import assert_changed
from tests.support.programs.thresholds import ends
from tests.support.refusals import refused_naming
from tests.support.saving import assert_go_on_alike
from tests.support.saving import through_keras_file
from tests.support.saving import through_weights_file
from tests.support.shared_code import every_case
from tests.support.trajectories import assert_close
from tests.support.trajectories import oracle_of


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("front_end", "jit_compile"), [(TF_KERAS, False), (KERAS, True)]
)
@every_kind
def test_changed_threshold_clips_from_the_next_step_without_a_retrace(
    front_end, kind, jit_compile
):
    """In a graph, and in a compiled graph."""
    name, arguments, first, second = KINDS[kind]
    optimizer = _optimizer(front_end, name, arguments, first)
    variables = front_end.variables(parameters(), "float64")
    optimizer.build(variables)
    traces = 0

    @tf.function(jit_compile=jit_compile)
    def step(gradients):
        nonlocal traces
        traces += 1
        front_end.apply(optimizer, gradients, variables)

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
    assert traces == 1


@every_kind
@both_front_ends
def test_threshold_reads_as_what_it_is_now_and_can_be_set_again(
    front_end, kind
):
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
    other = _optimizer(front_end, name, arguments, first)
    other.build(front_end.variables(parameters()))
    optimizer.clip_threshold = other.clip_threshold
    assert_reads(first)


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


@pytest.mark.parametrize("through", [through_keras_file, through_weights_file])
@pytest.mark.parametrize("kind", SAVED)
@both_front_ends
def test_changed_threshold_survives_the_file(
    front_end, kind, through, tmp_path
):
    name, arguments, first, second = SAVED[kind]

    def make():
        optimizer = _optimizer(front_end, name, arguments, first)
        return dense_model(front_end, optimizer)

    gradients = heavy_tailed_gradients(MODEL_SHAPES, steps=4)
    model = make()
    train(front_end, model, gradients[:1])
    model.optimizer.clip_threshold = as_argument(second)
    train(front_end, model, gradients[1:2])
    loaded = through(front_end, model, make, tmp_path)
    assert _written(loaded.optimizer.clip_threshold) == _written(second)
    assert_go_on_alike(front_end, model, loaded, gradients[2:])


@pytest.mark.slow
@every_case("case", {case: (case,) for case in CASES}, ["number"])
def test_callback_of_fit_changes_the_threshold(front_end, case):
    assert_changed(ends(front_end, case))


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
    start = "`clip_threshold` must have numbers that float32 holds. Received: "
    with refused_naming(start):
        optimizer.build(front_end.variables([np.zeros(1)]))
    optimizer = front_end.optimizer("gclip", clip_threshold=threshold)
    optimizer.build(front_end.variables([np.zeros(1)], "float64"))


@both_front_ends
def test_arrays_as_large_as_a_model_are_not_listed(front_end):
    """As Python's numbers they would take five times their memory."""
    arrays = [np.ones(1_000_000)]
    tracemalloc.start()
    optimizer = front_end.optimizer("cclip", clip_threshold=arrays)
    optimizer.clip_threshold = [2 * arrays[0]]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * arrays[0].nbytes
