"""Steps optimizers on TensorFlow in eager mode, as graphs and under XLA.

Usage: python -m tests.support.programs.modes FILE.npz

Writes where optimizers get to in each mode, at other learning rates, and by
sparse gradients. What XLA has compiled stays for as long as the process does
(tensorflow 2.20.0), and both front ends share it.
"""

import sys
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

# `jit_compile="auto"` compiles the first two; the first falls into blocks, the
# second does not.
SHAPES = ((2, 30, 1000), (331, 101), (5,), ())
STEPS = 4
GRADIENTS = heavy_tailed_gradients(SHAPES, STEPS)
RATES = (0.5, 0.5, 0.0, 0.25)

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


def _cases():
    """Yields front end, name and variant, and the modes to step it in.

    A variant of each optimizer is stepped in every mode, the others by what is
    compiled for each shape. The classes for tf_keras take the same steps.
    """
    for name, enrolment in ENROLMENTS.items():
        first, *others = enrolment.few
        yield (KERAS, name, first), list(MODES)
        for variant in others:
            yield (KERAS, name, variant), ["plain", "eager, all compiled"]
        modes = list(MODES) if name == "acclip" else ["plain", "graph"]
        yield (TF_KERAS, name, first), modes


CASES = dict(_cases())
# What `jit_compile` is inside of an XLA program, by front end and optimizer.
INSIDE_XLA = {
    **{(KERAS, name): (True,) for name in ENROLMENTS},
    **{(KERAS, name): (True, False, "auto") for name in KINDS},
    (TF_KERAS, "acclip"): (True, False, "auto"),
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


def _path(run):
    """Returns an array of shape `(steps + 1, parameters)`."""
    return np.stack(
        [np.concatenate([x.ravel() for x in xs]) for xs in run.positions]
    )


def path_of(front_end, name, arguments, mode):
    """Returns the path of one optimizer in one mode."""
    jit_compile, outer = MODES[mode]
    run = Run(front_end, name, {**arguments, "jit_compile": jit_compile}, outer)
    tf.config.run_functions_eagerly(mode == "plain")
    for gradients in GRADIENTS:
        run.step(gradients)
    tf.config.run_functions_eagerly(False)
    return _path(run), run.traces


def path_at_rates(front_end, name, jit_compile):
    """Returns the path at `RATES`, and how often a step was traced."""
    run = Run(
        front_end,
        name,
        {"global_clipnorm": 1.0, "monitor": True},
        {"jit_compile": jit_compile},
    )
    for rate, gradients in zip(RATES, GRADIENTS, strict=True):
        run.optimizer.learning_rate = rate
        run.step(gradients)
    return _path(run), run.traces


def sparse_and_dense(front_end, name, jit_compile):
    """Returns where a step by rows starts and ends, and one by all of it."""
    indices = np.array([3, 1, 3])
    values = np.arange(9.0).reshape(3, 3)
    dense = np.zeros((5, 3))
    np.add.at(dense, indices, values)
    sparse = tf.IndexedSlices(
        tf.constant(values, "float32"),
        tf.constant(indices),
        tf.constant([5, 3]),
    )
    paths = []
    for gradient in (sparse, dense):
        run = Run(
            front_end,
            name,
            {"learning_rate": 0.25, "jit_compile": jit_compile},
            {"jit_compile": True},
            shapes=[(5, 3)],
        )
        run.step([gradient])
        paths.append(_path(run))
    return np.stack([*paths[0], paths[1][-1]])


def results():
    """Yields names and arrays."""
    for (front_end, name, variant), modes in CASES.items():
        arguments = ENROLMENTS[name].variants[variant]
        for mode in modes:
            path, traces = path_of(front_end, name, arguments, mode)
            yield f"{front_end}/{name}/{variant}/{mode}", path
            if mode == "plain":
                yield f"{front_end}/{name}/{variant}/traces", traces
    for (front_end, name), values in INSIDE_XLA.items():
        for jit_compile in values:
            path, traces = path_at_rates(front_end, name, jit_compile)
            yield f"{front_end}/{name}/rates/{jit_compile}", path
            yield f"{front_end}/{name}/traces/{jit_compile}", traces
            path = sparse_and_dense(front_end, name, jit_compile)
            yield f"{front_end}/{name}/sparse/{jit_compile}", path


def main(file):
    """Writes all, every large variable walked through by blocks."""
    # Fails where there is no such function any more.
    with mock.patch.object(groups, "_threads", lambda: 1):
        np.savez(file, **dict(results()))


if __name__ == "__main__":
    main(sys.argv[1])
