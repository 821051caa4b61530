"""Eager, graph and XLA do the same, and nothing is traced twice."""

import numpy as np
import pytest
import tensorflow as tf

from keras_clip import compilation
from keras_clip.tensorflow_updates import SMALLEST_COMPILED_SIZE
from tests.enrolment import every_optimizer
from tests.enrolment import few_variants
from tests.front_ends import both_front_ends
from tests.gradients import heavy_tailed_gradients
from tests.gradients import parameters
from tests.trajectories import assert_close

# The first variable is large enough for `jit_compile="auto"` to compile it.
SHAPES = ((200, 200), (5,), ())
STEPS = 4
GRADIENTS = heavy_tailed_gradients(SHAPES, STEPS)

# Of the way: a step is some thirty roundings by 6e-8, in each of two runs.
AGREEMENT = 4e-6


def test_first_variable_is_large_enough_to_be_compiled():
    assert np.prod(SHAPES[0]) >= SMALLEST_COMPILED_SIZE
    assert np.prod(SHAPES[1]) < SMALLEST_COMPILED_SIZE


class Run:
    """Steps an optimizer in one mode and counts how often that is traced."""

    def __init__(self, front_end, name, arguments, outer, shapes=SHAPES):
        """`outer` are arguments of a `tf.function`; `None` is eager mode."""
        self.front_end = front_end
        self.optimizer = front_end.optimizer(name, **arguments)
        self.variables = front_end.variables(parameters(shapes))
        self.positions = [front_end.values(self.variables)]
        self.traces = 0
        self.optimizer.build(self.variables)

        def step(gradients):
            self.traces += 1
            front_end.apply(self.optimizer, gradients, self.variables)

        self._step = step if outer is None else tf.function(step, **outer)

    def step(self, gradients):
        tensors = [
            self.front_end.tensor(g) if isinstance(g, np.ndarray) else g
            for g in gradients
        ]
        self._step(tensors)
        self.positions.append(self.front_end.values(self.variables))


MODES = {
    "eager": ("auto", None),
    "eager, all compiled": (True, None),
    "graph": (False, {}),
    "graph, large compiled": ("auto", {}),
    "XLA": (False, {"jit_compile": True}),
    "XLA, all compiled": (True, {"jit_compile": True}),
}


@few_variants
@both_front_ends
def test_eager_graph_and_xla_agree(front_end, enrolment, variant):
    positions = {}
    for mode, (jit_compile, outer) in {
        "plain": (False, None),
        **MODES,
    }.items():
        arguments = {**enrolment.variants[variant], "jit_compile": jit_compile}
        run = Run(front_end, enrolment.name, arguments, outer)
        for gradients in GRADIENTS:
            run.step(gradients)
        positions[mode] = run.positions
    plain = [
        [np.asarray(x, np.float64) for x in xs] for xs in positions["plain"]
    ]
    for mode in MODES:
        assert_close(positions[mode], plain, "float32", relative=AGREEMENT)


@pytest.mark.parametrize("jit_compile", [True, False])
@every_optimizer
@both_front_ends
def test_step_is_traced_once_whatever_the_learning_rate(
    front_end, enrolment, jit_compile
):
    arguments = {"learning_rate": 0.5, "global_clipnorm": 1.0}
    run = Run(
        front_end,
        enrolment.name,
        {**arguments, "monitor": True},
        {"jit_compile": jit_compile},
    )
    run.step(GRADIENTS[0])
    run.step(GRADIENTS[1])
    run.optimizer.learning_rate = 0.0
    before = front_end.values(run.variables)
    run.step(GRADIENTS[2])
    after = front_end.values(run.variables)
    assert all(np.array_equal(a, b) for a, b in zip(after, before, strict=True))
    run.optimizer.learning_rate = 0.25
    run.step(GRADIENTS[3])
    after = front_end.values(run.variables)
    assert all(np.any(a != b) for a, b in zip(after, before, strict=True))
    assert run.traces == 1


@every_optimizer
@both_front_ends
def test_compiled_update_of_a_shape_is_traced_once(front_end, enrolment):
    """Eager steps of all variables share it, and so do both front ends."""
    large, small = (331, 101), (7,)
    shapes = [large, large, small, small]
    optimizer = front_end.optimizer(
        enrolment.name, learning_rate=0.5, jit_compile=True
    )
    variables = front_end.variables([np.ones(shape) for shape in shapes])
    optimizer.build(variables)
    rule, decay = optimizer.rule, optimizer.weight_decay or 0.0
    dtypes = ("float32",) * (1 + len(rule.slots))
    updates = [
        compilation.function_of_handles(rule, decay, large, dtypes),
        compilation.function_of_values(rule, decay, 14, "float32"),
    ]
    for rate in (0.5, 0.25, 0.125):
        optimizer.learning_rate = rate
        gradients = [np.full(shape, rate) for shape in shapes]
        front_end.apply(optimizer, gradients, variables)
    for update in updates:
        assert update.experimental_get_tracing_count() == 1


@every_optimizer
@both_front_ends
def test_eager_step_is_traced_anew_only_if_an_argument_changes(
    front_end, enrolment
):
    run = Run(front_end, enrolment.name, {"learning_rate": 0.5}, None)

    def traces():
        traced = run.optimizer._traced_steps.values()
        return sum(step.experimental_get_tracing_count() for step in traced)

    for rate, gradients in zip((0.5, 0.25, 0.125), GRADIENTS[:3], strict=True):
        run.optimizer.learning_rate = rate
        run.step(gradients)
    assert traces() == 1
    run.optimizer.weight_decay = 0.5
    run.step(GRADIENTS[3])
    assert traces() == 2
    run.step([None, *GRADIENTS[0][1:]])
    assert traces() == 3


@pytest.mark.parametrize("jit_compile", [True, False, "auto"])
@every_optimizer
@both_front_ends
def test_sparse_update_compiles_inside_an_outer_xla_program(
    front_end, enrolment, jit_compile
):
    indices = np.array([3, 1, 3])
    values = np.arange(9.0).reshape(3, 3)
    dense = np.zeros((5, 3))
    np.add.at(dense, indices, values)
    arguments = {"learning_rate": 0.25, "jit_compile": jit_compile}
    ends = []
    for gradient in (
        tf.IndexedSlices(
            tf.constant(values, "float32"),
            tf.constant(indices),
            tf.constant([5, 3]),
        ),
        dense,
    ):
        run = Run(
            front_end,
            enrolment.name,
            arguments,
            {"jit_compile": True},
            shapes=[(5, 3)],
        )
        run.step([gradient])
        ends.append(run.positions[-1][0])
    assert np.any(ends[0] != run.positions[0][0])
    np.testing.assert_array_equal(*ends)
