"""Steps optimizers on TensorFlow in eager mode, as graphs and under XLA.

Usage: python -m tests.programs.modes FRONT_END FILE.npz

Writes where every optimizer and its few variants get to in each mode. What XLA
has compiled stays for as long as the process does (tensorflow 2.20.0).
"""

import sys

import numpy as np
import tensorflow as tf

from keras_clip.on_tensorflow import groups
from tests.enrolment import ENROLMENTS
from tests.front_ends import KERAS
from tests.front_ends import TF_KERAS
from tests.gradients import heavy_tailed_gradients
from tests.gradients import parameters

# `jit_compile="auto"` compiles the first two; the first falls into blocks, the
# second does not.
SHAPES = ((2, 30, 1000), (331, 101), (5,), ())
STEPS = 4
GRADIENTS = heavy_tailed_gradients(SHAPES, STEPS)

MODES = {
    "plain": (False, None),
    "eager": ("auto", None),
    "eager, all compiled": (True, None),
    "graph": (False, {}),
    "graph, large compiled": ("auto", {}),
    "XLA": (False, {"jit_compile": True}),
    "XLA, all compiled": (True, {"jit_compile": True}),
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


def path_of(front_end, name, arguments, mode):
    """Returns an array of shape `(STEPS + 1, parameters)`."""
    jit_compile, outer = MODES[mode]
    run = Run(front_end, name, {**arguments, "jit_compile": jit_compile}, outer)
    for gradients in GRADIENTS:
        run.step(gradients)
    return np.stack(
        [np.concatenate([x.ravel() for x in xs]) for xs in run.positions]
    )


def main(name, file):
    """Writes the paths, every large variable walked through by blocks."""
    (front_end,) = (each for each in (KERAS, TF_KERAS) if each.name == name)
    groups._threads = lambda: 1
    np.savez(
        file,
        **{
            f"{enrolment.name}/{variant}/{mode}": path_of(
                front_end, enrolment.name, enrolment.variants[variant], mode
            )
            for enrolment in ENROLMENTS.values()
            for variant in enrolment.few
            for mode in MODES
        },
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
