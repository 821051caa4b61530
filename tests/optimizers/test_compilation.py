"""Eager, graph and XLA do the same, and nothing is traced twice."""

import dataclasses
import math
import re
import types

import numpy as np
import pytest
import tensorflow as tf

from keras_clip.on_tensorflow import groups
from keras_clip.on_tensorflow.blocks import block_of
from keras_clip.on_tensorflow.compiled import function_of_handles
from keras_clip.on_tensorflow.compiled import function_of_values
from keras_clip.on_tensorflow.groups import SMALLEST_COMPILED_SIZE
from keras_clip.on_tensorflow.program import program_of
from keras_clip.rules.clips import Bound
from keras_clip.rules.clips import Factor
from keras_clip.rules.clips import Unclipped
from tests.support.enrolment import ENROLMENTS
from tests.support.enrolment import every_optimizer
from tests.support.enrolment import few_variants
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.front_ends import both_front_ends
from tests.support.gradients import heavy_tailed_gradients
from tests.support.programs.launch import run_program
from tests.support.programs.modes import CASES
from tests.support.programs.modes import INSIDE_XLA
from tests.support.programs.modes import MODES
from tests.support.programs.modes import RATES
from tests.support.programs.modes import SHAPES
from tests.support.programs.modes import STEPS
from tests.support.programs.modes import Run
from tests.support.trajectories import assert_close

# Of the way: a step is some thirty roundings by 6e-8, in each of two runs.
AGREEMENT = 4e-6

# The classes for tf_keras take the same steps: one is enough.
every_step = pytest.mark.parametrize(
    ("front_end", "name"),
    [*((KERAS, name) for name in ENROLMENTS), (TF_KERAS, "clip_adam")],
)

# Where one variable ends in a row of a path and the next begins.
ENDS = np.cumsum([math.prod(shape) for shape in SHAPES])[:-1]


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Lets large variables be walked through, whatever the machine."""
    monkeypatch.setattr(groups, "_threads", lambda: 1)


def test_shapes_are_updated_in_each_way():
    sizes = [np.prod(shape) for shape in SHAPES]
    assert sizes[0] >= SMALLEST_COMPILED_SIZE
    assert sizes[1] >= SMALLEST_COMPILED_SIZE
    assert sizes[2] < SMALLEST_COMPILED_SIZE
    assert block_of(SHAPES[0]) == (1, 10, 1000)
    assert block_of(SHAPES[1]) is None


@pytest.fixture(scope="module")
def paths(tmp_path_factory):
    """Paths in every mode, of both front ends, from a process of its own."""
    file = tmp_path_factory.mktemp("modes") / "paths.npz"
    run_program("modes", file, backend="tensorflow")
    # They are hundreds of megabytes: each is read where it is asked for.
    with np.load(file) as arrays:
        yield arrays


@pytest.mark.slow
@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: "-".join(map(str, case))
)
def test_eager_graph_and_xla_agree_with_functions_that_run_eagerly(paths, case):
    key = "/".join(map(str, case))

    def positions(mode):
        path = paths[f"{key}/{mode}"]
        return [np.split(row, ENDS) for row in path]

    plain = [[x.astype(np.float64) for x in row] for row in positions("plain")]
    assert len(plain) == STEPS + 1
    assert paths[f"{key}/traces"] == STEPS
    for mode in CASES[case]:
        assert_close(positions(mode), plain, "float32", relative=AGREEMENT)


def test_every_mode_is_stepped_by_what_writes_all_the_state_or_nothing():
    for mode in MODES:
        assert {"all", "state", "nothing"} == {
            _written_in_place(name, variant)
            for (front_end, name, variant), modes in CASES.items()
            if front_end is KERAS and mode in modes
        }


def _written_in_place(name, variant):
    arguments = ENROLMENTS[name].variants[variant]
    settings = KERAS.optimizer(name, **arguments).step_settings
    _, program, _ = program_of_settings(settings, "int64")
    return program.written_in_place


inside_xla = pytest.mark.parametrize(
    ("front_end", "name", "jit_compile"),
    [(*key, each) for key, values in INSIDE_XLA.items() for each in values],
)


@pytest.mark.slow
@inside_xla
def test_step_is_traced_once_whatever_the_learning_rate(
    paths, front_end, name, jit_compile
):
    path = paths[f"{front_end}/{name}/rates/{jit_compile}"]
    for rate, before, after in zip(RATES, path[:-1], path[1:], strict=True):
        moved = [np.any(x) for x in np.split(after != before, ENDS)]
        assert moved == [rate > 0] * len(SHAPES)
    assert paths[f"{front_end}/{name}/traces/{jit_compile}"] == 1


def program_of_settings(settings, dtype_of_number):
    """Returns dtypes, program and numbers of an update that clips if it may."""
    rule, threshold = settings.rule, settings.clip_threshold
    dtypes = ("float32",) * (1 + len(rule.slots))
    clip = Factor
    if settings.clipping == "coordinate":
        clip = Bound
    if settings.clipping is None or threshold is None and not rule.shared:
        clip = Unclipped
    others = len(clip._fields) + bool(rule.shared)
    program, numbers = program_of(
        rule,
        settings.weight_decay or 0.0,
        dtypes,
        ("float32", "float32", dtype_of_number, *["float32"] * others),
        clip,
    )
    return dtypes, program, numbers


@pytest.mark.slow
@every_step
def test_compiled_update_of_a_shape_is_traced_once(front_end, name):
    """Eager steps of all variables share it, and so do both front ends.

    What small variables are updated by together is traced for numbers of
    updates that differ too, where moments are corrected.
    """
    whole, walked, small = (331, 101), (400, 256), (7,)
    shapes = [whole, whole, walked, walked, small, small]
    optimizer = front_end.optimizer(name, learning_rate=0.5, jit_compile=True)
    variables = front_end.variables([np.ones(shape) for shape in shapes])
    optimizer.build(variables)
    count = optimizer.update_count.dtype
    dtypes, program, _ = program_of_settings(
        optimizer.step_settings, getattr(count, "name", count)
    )
    in_place = program.written_in_place == "all"
    block = None if in_place else block_of(walked)
    updates = [
        function_of_handles(program, whole, dtypes, None),
        function_of_handles(program, walked, dtypes, block),
        function_of_values(program, (14,)),
    ]
    for rate in (0.5, 0.25, 0.125):
        optimizer.learning_rate = rate
        gradients = [np.full(shape, rate) for shape in shapes]
        front_end.apply(optimizer, gradients, variables)
    traces = [update.experimental_get_tracing_count() for update in updates]
    corrected = optimizer.missed_updates is not None
    assert traces == [1, 1, 2 if corrected else 1]


@pytest.mark.parametrize(
    ("name", "arguments", "written"),
    [
        ("gclip", {"momentum": 0.5}, "all"),
        ("clip_adam_norm", {}, "all"),
        ("clip_adagrad_norm", {"beta_1": 0.5}, "all"),
        # Roots and divisions are the step's alone.
        ("acclip", {}, "state"),
        ("acclip", {"alpha": 2.0}, "state"),
        ("clip_adam", {}, "state"),
        ("clip_adam", {"clipping": "layer"}, "state"),
        ("clip_adagrad", {}, "state"),
        # A power, bounds of coordinates, a step by the state before.
        ("acclip", {"alpha": 1.5}, "nothing"),
        ("clip_adam", {"clipping": "coordinate"}, "nothing"),
        ("cclip", {"momentum": 0.5}, "nothing"),
        ("clip_adam", {"delay": 1}, "nothing"),
        ("clip_adagrad", {"delay": 1}, "nothing"),
    ],
)
def test_what_is_written_in_place_is_found_in_the_equations(
    name, arguments, written
):
    settings = KERAS.optimizer(name, **arguments).step_settings
    _, program, _ = program_of_settings(settings, "int64")
    assert program.written_in_place == written


@pytest.mark.slow
@every_optimizer
def test_other_values_of_hyperparameters_compile_nothing_anew(enrolment):
    """XLA never frees what it has compiled (tensorflow 2.20.0)."""
    shapes = [(400, 256), (331, 101)]
    arguments = {"weight_decay": 0.5, "jit_compile": True}
    rule = KERAS.optimizer(enrolment.name).rule
    others = {
        field.name: value * 0.75
        for field in dataclasses.fields(rule)
        if isinstance(value := getattr(rule, field.name), float) and value < 1
    }
    others.pop("initial_accumulator_value", None)
    gradients = [np.full(shape, 0.5) for shape in shapes]
    sizes, positions = [], []
    for more in ({}, {**others, "weight_decay": 0.25}):
        optimizer = KERAS.optimizer(enrolment.name, **{**arguments, **more})
        variables = KERAS.variables([np.ones(shape) for shape in shapes])
        for _ in range(2):
            KERAS.apply(optimizer, gradients, variables)
        sizes.append(function_of_handles.cache_info().currsize)
        positions.append(KERAS.values(variables))
    assert sizes[1] == sizes[0]
    for one, other in zip(*positions, strict=True):
        assert np.all(one != other)


@pytest.mark.slow
@few_variants
def test_nothing_as_large_as_a_variable_is_copied(enrolment, variant):
    shape = (640, 256)
    arguments = enrolment.variants[variant]
    settings = KERAS.optimizer(enrolment.name, **arguments).step_settings
    dtypes, program, numbers = program_of_settings(settings, "float32")
    in_place = program.written_in_place == "all"
    update = function_of_handles(
        program, shape, dtypes, None if in_place else block_of(shape)
    )
    scalars = len(program.inputs) - len(dtypes) - 1 - len(numbers)
    compiled = update.experimental_get_compiler_ir(
        [tf.Variable(tf.ones(shape)).handle for _ in dtypes],
        [tf.ones(shape), *[tf.constant(1.0)] * scalars],
        [tf.constant(number) for number in numbers],
    )(stage="optimized_hlo")
    assert not re.search(r"= f32\[640,256\]\S* copy\(", compiled)


def test_only_what_is_on_a_cpu_is_walked_through_by_blocks():
    _, program, _ = program_of_settings(
        KERAS.optimizer("acclip").step_settings, "float32"
    )
    for kind, walked in (("CPU", True), ("GPU", False), ("TPU", False)):
        variable = types.SimpleNamespace(
            device=f"/job:localhost/replica:0/task:0/device:{kind}:0"
        )
        assert groups._can_be_walked(program, variable) is walked


def _blocks_of_an_update(monkeypatch, shapes):
    """Returns by what blocks variables of some shapes are walked through."""
    blocks = []

    def recorded(program, shape, dtypes, block):
        blocks.append(block)
        return function_of_handles(program, shape, dtypes, block)

    monkeypatch.setattr(groups, "function_of_handles", recorded)
    run = Run(KERAS, "acclip", {}, {}, shapes)
    run.step([np.ones(shape) for shape in shapes])
    return blocks


@pytest.mark.slow
@pytest.mark.parametrize(
    ("threads", "walked"), [(1, True), (4, True), (5, False), (64, False)]
)
def test_what_keeps_one_thread_longer_than_the_others_is_not_walked(
    monkeypatch, threads, walked
):
    monkeypatch.setattr(groups, "_threads", lambda: threads)
    shapes = [(400, 256)] * 4
    block = block_of(shapes[0]) if walked else None
    assert _blocks_of_an_update(monkeypatch, shapes) == [block] * 4


@pytest.mark.slow
@every_step
def test_eager_step_is_traced_anew_only_if_an_argument_changes(front_end, name):
    shapes = SHAPES[2:]
    run = Run(front_end, name, {"learning_rate": 0.5}, None, shapes)
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
    paths, front_end, name, jit_compile
):
    start, sparse, dense = paths[f"{front_end}/{name}/sparse/{jit_compile}"]
    assert np.any(sparse != start)
    np.testing.assert_array_equal(sparse, dense)


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
