"""Eager, graph and XLA do the same, and nothing is traced twice."""

import numpy as np
import pytest
import tensorflow as tf

from keras_clip.optimizers.base import _constant
from tests.support.enrolment.record import Adaptive
from tests.support.front_ends import both_front_ends
from tests.support.gradients import heavy_tailed_gradients
from tests.support.programs import modes
from tests.support.programs.launch import results_of
from tests.support.shared_code import every_optimizer_once
from tests.support.trajectories import same_bits


@pytest.fixture(scope="module")
def found():
    """Returns what is found in every mode, in a process of its own."""
    return results_of("modes", backend="tensorflow")


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", modes.CASES, ids=lambda case: "-".join(map(str, case))
)
def test_eager_graph_and_xla_agree_with_functions_that_run_eagerly(found, case):
    errors, traces = found["/".join(map(str, case))]
    assert traces == modes.STEPS
    assert errors.keys() == set(modes.CASES[case])
    assert max(errors.values()) <= 1, errors


inside_xla = pytest.mark.parametrize(
    ("front_end", "name", "jit_compile"),
    [
        (*key, each)
        for key, values in modes.INSIDE_XLA.items()
        for each in values
    ],
)


@pytest.mark.slow
@inside_xla
def test_step_is_traced_once_whatever_the_learning_rate(
    found, front_end, name, jit_compile
):
    moved, traces = found[f"{front_end}/{name}/rates/{jit_compile}"]
    assert moved == [[rate > 0] * len(modes.SHAPES) for rate in modes.RATES]
    assert traces == 1


@pytest.mark.slow
@every_optimizer_once
def test_eager_step_is_traced_anew_only_if_an_argument_changes(
    front_end, enrolment
):
    shapes = modes.SHAPES[2:]
    arguments = {"learning_rate": 0.5}
    run = modes.Run(front_end, enrolment.name, arguments, None, shapes)
    gradients = heavy_tailed_gradients(shapes, steps=4)

    def traces():
        return sum(
            step.experimental_get_tracing_count()
            for step in run.optimizer._tensorflow_steps.traced
        )

    for rate, gradient in zip((0.5, 0.25, 0.125), gradients[:3], strict=True):
        run.optimizer.learning_rate = rate
        run.step(gradient)
    assert traces() == 1
    run.optimizer.weight_decay = 0.5
    run.step(gradients[3])
    assert traces() == 2
    run.step([None, *gradients[0][1:]])
    assert traces() == 3


@pytest.mark.slow
@inside_xla
def test_sparse_update_compiles_inside_an_outer_xla_program(
    found, front_end, name, jit_compile
):
    start, *ends = found[f"{front_end}/{name}/sparse/{jit_compile}"]
    assert np.any(ends[0][0] != start[0])
    assert same_bits(*ends)


@pytest.mark.parametrize("jit_compile", [False, True])
@both_front_ends
def test_norm_that_is_nan_propagates_into_the_moment_under_xla_too(
    front_end, jit_compile
):
    optimizer = front_end.optimizer(
        "gclip",
        clip_threshold=Adaptive(2.0, of="clipped", warmup_steps=1),
        nonfinite="propagate",
    )
    variables = front_end.variables([np.ones(2)])
    optimizer.build(variables)
    step = tf.function(
        lambda g: front_end.apply(optimizer, [g], variables),
        jit_compile=jit_compile,
    )
    for first in (1.0, 1.0, np.nan):
        assert np.isfinite(front_end.value(optimizer.threshold_moment))
        step(front_end.tensor(np.array([first, 0.5])))
    assert np.isnan(front_end.value(optimizer.threshold_moment))


@pytest.fixture
def warned(monkeypatch):
    """Collects the messages that TensorFlow warns with."""
    messages = []
    monkeypatch.setattr(
        tf.get_logger(),
        "warning",
        lambda message, *args, **kwargs: messages.append(str(message)),
    )
    return messages


@pytest.mark.slow
@both_front_ends
def test_nothing_warns_of_retracing_in_eager_mode(front_end, warned):
    """Neither many optimizers do, nor one whose variables take turns."""
    for name in ("acclip", "gclip", "clip_adam"):
        for rows in (3, 4):
            optimizer = front_end.optimizer(name)
            variables = front_end.variables([np.ones((rows, 200, 100))])
            gradients = [front_end.tensor(np.ones((rows, 200, 100)))]
            for _ in range(2):
                front_end.apply(optimizer, gradients, variables)
    optimizer = front_end.optimizer("acclip")
    variables = front_end.variables([np.ones(n) for n in range(2, 10)])
    optimizer.build(variables)
    for variable in variables:
        front_end.apply(optimizer, [np.ones(variable.shape)], [variable])
    assert not any("retracing" in message for message in warned)


def test_a_warning_of_retracing_would_be_seen(warned):
    for size in range(10):
        tf.function(lambda x: x + 1)(tf.ones(size))
    assert any("retracing" in message for message in warned)


def test_state_is_no_large_constant_of_the_graph_that_creates_it():
    """A table's slots would take seconds and gigabytes there."""

    @tf.function
    def created():
        return _constant(0.1)((1000, 64), "float64")

    graph = created.get_concrete_function().graph
    constants = [op for op in graph.get_operations() if op.type == "Const"]
    sizes = [op.outputs[0].shape.num_elements() for op in constants]
    assert constants and max(sizes) < 10
    assert np.all(created().numpy() == 0.1)
