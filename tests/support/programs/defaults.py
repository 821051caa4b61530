"""Trains small problems with the defaults of Adam and of all enrolled."""

import jax
import keras
import numpy as np
from jax import numpy as jnp

import keras_clip
from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS
from tests.support.problems import PROBLEMS


class Training:
    """Holds what all trainings on one problem share."""

    def __init__(self, problem):
        self.problem = problem
        inputs = jnp.asarray(problem.inputs)
        targets = jnp.asarray(problem.targets)

        def loss(parameters, rows):
            outputs = problem.model(parameters, inputs[rows])
            return problem.loss(targets[rows], outputs)

        self.everything = np.arange(len(inputs))
        self.loss = jax.jit(loss)
        self.gradients = jax.grad(loss)

    def run(self, optimizer):
        """Returns two losses, and the median norm of the gradients."""
        variables = KERAS.variables(self.problem.parameters)
        optimizer.build(variables)
        x, state = (
            [variable.value for variable in these]
            for these in (variables, optimizer.variables)
        )

        def step(kept, batch):
            gradients = self.gradients(kept[0], batch)
            norm = jnp.sqrt(sum(jnp.sum(g * g) for g in gradients))
            moved = optimizer.stateless_apply(kept[1], gradients, kept[0])
            return tuple(map(list, moved)), norm

        # All steps are one program: calls of it would take longer than they.
        train = jax.jit(lambda kept, batches: jax.lax.scan(step, kept, batches))
        (moved, _), norms = train((x, state), self.problem.batches())
        losses = [
            float(self.loss(these, self.everything)) for these in (x, moved)
        ]
        return losses, float(np.median(norms))


def main():
    """Returns what every optimizer reaches, by problem and optimizer.

    That is the loss over all data before and after `Problem.steps`, and the
    median norm of the gradients.
    """
    result = {}
    for key, problem in PROBLEMS.items():
        training = Training(problem())
        result[key] = {"adam": training.run(keras.optimizers.Adam())}
        for name in ENROLMENTS:
            result[key][name] = training.run(keras_clip.get(name))
    return result
