"""Steps optimizers on TensorFlow in eager mode, as graphs and under XLA.

What XLA has compiled stays for as long as the process does (tensorflow 2.20.0),
and both front ends share it.
"""

from unittest import mock

import numpy as np
import tensorflow as tf

from keras_clip.on_tensorflow import groups
from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters
from tests.support.shared_code import KINDS
from tests.support.trajectories import errors

# `jit_compile="auto"` compiles the first two; the first falls into blocks, the
# second does not.
SHAPES = ((2, 30, 1000), (331, 101), (5,), ())
STEPS = 5
RATES = (0.5, 0.5, 0.0, 0.25)


def _gradients():
    """Returns gradients that are zero at first and not finite later."""
    gradients = heavy_tailed_gradients(SHAPES, STEPS)
    for gradient in gradients[0]:
        gradient[...] = 0.0
    gradients[2][0][1, 2, 3] = np.nan
    gradients[2][1][4, 5] = np.inf
    return gradients


GRADIENTS = _gradients()
# Of the way: a step is some thirty roundings by 6e-8, in each of two runs.
AGREEMENT = 4e-6

# `jit_compile`, and the arguments of a `tf.function` around the step. The plain
# one runs op by op, without any function.
MODES = {
    "plain": ("auto", {}),
    "eager": ("auto", None),
    "eager, not compiled": (False, None),
    "eager, all compiled": (True, None),
    "graph": (False, {}),
    "graph, large compiled": ("auto", {}),
    "XLA": (False, {"jit_compile": True}),
    "XLA, all compiled": (True, {"jit_compile": True}),
}


# Other variants that clip coordinates and depend on a norm, whatever clips.
BY_NORM = {
    "cclip": ("projection",),
    "clip_adam": ("coordinate,adaptive,alpha=1.5",),
}


def _cases():
    """Yields front end, name and variant, and the modes to step it in.

    A variant of each optimizer is stepped in every mode, the others by what is
    compiled for each shape. XLA, which takes longest, compiles in both ways
    what is written in place in each way. The classes for tf_keras take the same
    steps.
    """
    for name, enrolment in ENROLMENTS.items():
        first, *others = enrolment.few
        without = () if name in ("acclip", "gclip", "cclip") else ("XLA",)
        modes = [mode for mode in MODES if mode not in without]
        yield (KERAS, name, first), modes
        for variant in (*others, *BY_NORM.get(name, ())):
            yield (KERAS, name, variant), ["plain", "eager, all compiled"]
    for name, modes in (
        ("acclip", list(MODES)),
        ("clip_adam_norm", ["plain", "graph"]),
    ):
        yield (TF_KERAS, name, ENROLMENTS[name].few[0]), modes


CASES = dict(_cases())
# What `jit_compile` is inside of an XLA program, by front end and optimizer.
INSIDE_XLA = {
    **{(KERAS, name): (True, False, "auto") for name in KINDS},
    (TF_KERAS, "acclip"): (True,),
}


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


def run_in(front_end, name, arguments, mode):
    """Returns the run of one optimizer in one mode."""
    jit_compile, outer = MODES[mode]
    run = Run(front_end, name, {**arguments, "jit_compile": jit_compile}, outer)
    tf.config.run_functions_eagerly(mode == "plain")
    for gradients in GRADIENTS:
        run.step(gradients)
    tf.config.run_functions_eagerly(False)
    return run


def compared(front_end, name, variant, modes):
    """Returns how far each mode is off, and the traces of the plain one.

    The errors are in tolerances, by mode.
    """
    arguments = ENROLMENTS[name].variants[variant]
    runs = {mode: run_in(front_end, name, arguments, mode) for mode in modes}
    plain = [
        [x.astype(np.float64) for x in xs] for xs in runs["plain"].positions
    ]
    return {
        mode: errors(run.positions, plain, AGREEMENT, STEPS / 2, "float32")
        for mode, run in runs.items()
    }, runs["plain"].traces


def moved_at_rates(front_end, name, jit_compile):
    """Returns what moved at each of `RATES`, and how often it was traced."""
    run = Run(
        front_end,
        name,
        {"global_clipnorm": 1.0, "monitor": True},
        {"jit_compile": jit_compile},
    )
    steps = heavy_tailed_gradients(SHAPES, len(RATES))
    for rate, gradients in zip(RATES, steps, strict=True):
        run.optimizer.learning_rate = rate
        run.step(gradients)
    steps = zip(run.positions[:-1], run.positions[1:], strict=True)
    moved = [
        [bool(np.any(a != b)) for a, b in zip(*xs, strict=True)] for xs in steps
    ]
    return moved, run.traces


def sparse_and_dense(front_end, name, jit_compile):
    """Returns where a step by rows starts and ends, and one by all of it."""
    indices = np.array([3, 1, 3])
    values = np.arange(9.0).reshape(3, 3)
    gradient = np.zeros((5, 3))
    np.add.at(gradient, indices, values)
    sparse = tf.IndexedSlices(
        tf.constant(values, "float32"),
        tf.constant(indices),
        tf.constant([5, 3]),
    )
    arguments = {"learning_rate": 0.25, "jit_compile": jit_compile}
    runs = []
    for given in (sparse, gradient):
        run = Run(
            front_end, name, arguments, {"jit_compile": True}, shapes=[(5, 3)]
        )
        run.step([given])
        runs.append(run)
    return *runs[0].positions, runs[1].positions[-1]


def main():
    """Returns all, every large variable walked through by blocks.

    Keys are strings, such as `"keras/acclip/defaults"` and
    `"keras/acclip/rates/auto"`.
    """
    result = {}
    # Fails where there is no such function any more.
    with mock.patch.object(groups, "_threads", lambda: 1):
        for case, modes in CASES.items():
            result["/".join(map(str, case))] = compared(*case, modes)
        for (front_end, name), values in INSIDE_XLA.items():
            for jit_compile in values:
                case = front_end, name, jit_compile
                key = f"{front_end}/{name}"
                result[f"{key}/rates/{jit_compile}"] = moved_at_rates(*case)
                result[f"{key}/sparse/{jit_compile}"] = sparse_and_dense(*case)
    return result
