"""Trains three small problems with the defaults of Adam and all the enrolled.

Usage: python -m tests.support.programs.defaults FILE.json, on the JAX backend

`FILE.json` holds, by problem and optimizer, the loss over all data before and
after every round of `Problem.steps`, and the median norm of the gradients.
"""

import json
import sys

import jax
import keras
import numpy as np
from jax import numpy as jnp

import keras_clip
from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.problems import PROBLEMS
from tests.support.problems import rounds_of


class Training:
    """What all trainings on one problem share, compiled once."""

    def __init__(self, problem):
        self.problem = problem
        inputs = jnp.asarray(problem.inputs)
        targets = jnp.asarray(problem.targets)

        def loss(parameters, rows):
            outputs = problem.model(parameters, inputs[rows])
            return problem.loss(targets[rows], outputs)

        self.everything = np.arange(len(inputs))
        self.loss = jax.jit(loss)
        self.gradients = jax.jit(jax.grad(loss))

    def run(self, optimizer, rounds):
        """Returns the losses and the median norm of the gradients."""
        variables = KERAS.variables(self.problem.parameters)
        optimizer.build(variables)
        x, state = (
            [variable.value for variable in these]
            for these in (variables, optimizer.variables)
        )

        @jax.jit
        def update(x, state, gradients):
            norm = jnp.sqrt(sum(jnp.sum(g * g) for g in gradients))
            return *optimizer.stateless_apply(state, gradients, x), norm

        losses, norms = [self.loss(x, self.everything)], []
        for step, batch in enumerate(self.problem.batches(rounds), start=1):
            x, state, norm = update(x, state, self.gradients(x, batch))
            norms.append(norm)
            if step % self.problem.steps == 0:
                losses.append(self.loss(x, self.everything))
        return [float(loss) for loss in losses], float(np.median(norms))


def main(file):
    """Writes what every optimizer reaches on every problem."""
    result = {}
    for key, problem in PROBLEMS.items():
        training = Training(problem())
        result[key] = {"adam": training.run(keras.optimizers.Adam(), 1)}
        for name in ENROLMENTS:
            optimizer = keras_clip.get(name)
            result[key][name] = training.run(optimizer, rounds_of(name))
    with open(file, "w") as stream:
        json.dump(result, stream)


if __name__ == "__main__":
    main(sys.argv[1])
