"""Updates that XLA compiles: once for each shape, and in place."""

import dataclasses
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
from tests.support.programs import modes
from tests.support.shared_code import every_optimizer_once
from tests.support.trajectories import stepped


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Lets large variables be walked through, whatever the machine."""
    monkeypatch.setattr(groups, "_threads", lambda: 1)


def test_shapes_are_updated_in_each_way():
    sizes = [np.prod(shape) for shape in modes.SHAPES]
    assert sizes[0] >= SMALLEST_COMPILED_SIZE
    assert sizes[1] >= SMALLEST_COMPILED_SIZE
    assert sizes[2] < SMALLEST_COMPILED_SIZE
    assert block_of(modes.SHAPES[0]) == (1, 10, 1000)
    assert block_of(modes.SHAPES[1]) is None


def _program_for(optimizer, dtype_of_number):
    """Returns dtypes, program and numbers of an update that clips if it may."""
    settings = optimizer.step_settings
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


def _written_in_place(name, arguments):
    _, program, _ = _program_for(KERAS.optimizer(name, **arguments), "int64")
    return program.written_in_place


def test_every_mode_is_stepped_by_what_writes_all_the_state_or_nothing():
    for mode in modes.MODES:
        assert {"all", "state", "nothing"} == {
            _written_in_place(name, ENROLMENTS[name].variants[variant])
            for (front_end, name, variant), those in modes.CASES.items()
            if front_end is KERAS and mode in those
        }


@pytest.mark.slow
@every_optimizer_once
def test_compiled_update_of_a_shape_is_traced_once(front_end, enrolment):
    """Eager steps of all variables share it, and so do both front ends.

    What small variables are updated by together is traced for numbers of
    updates that differ too, where moments are corrected.
    """
    whole, walked, small = (331, 101), (400, 256), (7,)
    shapes = [whole, whole, walked, walked, small, small]
    optimizer = front_end.optimizer(
        enrolment.name, learning_rate=0.5, jit_compile=True
    )
    variables = front_end.variables([np.ones(shape) for shape in shapes])
    optimizer.build(variables)
    count = optimizer.update_count.dtype
    dtypes, program, _ = _program_for(optimizer, getattr(count, "name", count))
    updates = [
        function_of_handles(program, whole, dtypes, None),
        function_of_handles(program, walked, dtypes, block_of(walked)),
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
    assert _written_in_place(name, arguments) == written


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
    gradients = [[np.full(shape, 0.5) for shape in shapes]] * 2
    x = [np.ones(shape) for shape in shapes]
    sizes, positions = [], []
    for more in ({}, {**others, "weight_decay": 0.25}):
        run = (enrolment.name, {**arguments, **more}, gradients, x)
        _, variables = stepped(KERAS, *run)
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
    optimizer = KERAS.optimizer(enrolment.name, **arguments)
    dtypes, program, numbers = _program_for(optimizer, "float32")
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
    for kind, walked in (("CPU", True), ("GPU", False), ("TPU", False)):
        variable = types.SimpleNamespace(
            device=f"/job:localhost/replica:0/task:0/device:{kind}:0"
        )
        assert groups._is_on_cpu(variable) is walked


@pytest.mark.slow
@pytest.mark.parametrize(
    ("threads", "walked"), [(1, True), (4, True), (5, False), (64, False)]
)
def test_what_keeps_one_thread_longer_than_the_others_is_not_walked(
    monkeypatch, threads, walked
):
    blocks, shapes = [], [(400, 256)] * 4

    def recorded(program, shape, dtypes, block):
        blocks.append(block)
        return function_of_handles(program, shape, dtypes, block)

    monkeypatch.setattr(groups, "_threads", lambda: threads)
    monkeypatch.setattr(groups, "function_of_handles", recorded)
    run = modes.Run(KERAS, "acclip", {}, {}, shapes)
    run.step([np.ones(shape) for shape in shapes])
    assert blocks == [block_of(shapes[0]) if walked else None] * 4
