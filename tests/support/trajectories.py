"""Runs an optimizer or its oracle step by step, and compares what they did."""

import numpy as np

from tests.support.enrolment.record import Halving
from tests.support.gradients import STEPS
from tests.support.gradients import parameters


def oracle_of(enrolment, arguments, x):
    """Returns the oracle, and its learning rate as a function of the step.

    The rate is rounded to float32, in which Keras keeps it.
    """
    arguments = dict(arguments)
    rate = arguments.pop("learning_rate", enrolment.config["learning_rate"])
    if not isinstance(rate, Halving):
        rate = Halving(float(np.float32(rate)), every=STEPS)
    return enrolment.oracle(x, **arguments), rate.at


def without_projection(arguments):
    """Returns arguments without the projection.

    It moves the variables of a step, and rounds a second time.
    """
    return {k: v for k, v in arguments.items() if k != "projection_radius"}


def oracle_positions(enrolment, arguments, x, gradients):
    """Returns a list with the variables before and after every step."""
    oracle, rate_at = oracle_of(enrolment, arguments, x)
    positions = [x]
    for step, gradient in enumerate(gradients):
        positions.append(oracle.step(gradient, rate_at(step)))
    return positions


def positions(front_end, optimizer, x, gradients, dtype="float32"):
    """Returns a list with the variables before and after every step."""
    variables = front_end.variables(x, dtype)
    result = [front_end.values(variables)]
    for gradient in gradients:
        front_end.apply(optimizer, gradient, variables)
        result.append(front_end.values(variables))
    return result


def stepped(front_end, name, arguments, gradients, x=None, dtype="float32"):
    """Returns an optimizer and the variables that it has stepped.

    They start at `x`, or as those of `parameters`.
    """
    optimizer = front_end.optimizer(name, **arguments)
    variables = front_end.variables(parameters() if x is None else x, dtype)
    for gradient in gradients:
        front_end.apply(optimizer, gradient, variables)
    return optimizer, variables


def end(front_end, *run):
    """Returns the variables and the state after a run of `stepped`."""
    optimizer, variables = stepped(front_end, *run)
    return front_end.values(variables) + front_end.state(optimizer)


def errors(actual, expected, relative, ulps, dtype):
    """Returns the largest error, in units of the tolerance, over all steps.

    The tolerance of a coordinate is `relative` times the length of the way it
    has gone, summed over the steps, plus `ulps` units in the last place of the
    largest value on that way.
    """
    worst = 0.0
    spacing, tiny = np.finfo(dtype).eps, np.finfo(dtype).tiny
    for index in range(len(expected[0])):
        path = np.zeros_like(expected[0][index])
        largest = np.abs(expected[0][index])
        for step in range(1, len(expected)):
            before, after = expected[step - 1][index], expected[step][index]
            path = path + np.abs(after - before)
            largest = np.maximum(largest, np.abs(after))
            tolerance = relative * path + ulps * spacing * largest + tiny
            error = np.abs(actual[step][index].astype(np.float64) - after)
            if not np.all(np.isfinite(error)):
                return np.inf
            worst = max(worst, float(np.max(error / tolerance)))
    return worst


def assert_close(actual, expected, dtype, relative=None):
    """Compares positions: 1e-12 of the way in float64, 1e-5 in float32.

    Every one of the steps may round a variable by half a unit.
    """
    if relative is None:
        relative = 1e-12 if dtype == "float64" else 1e-5
    steps = len(expected) - 1
    worst = errors(actual, expected, relative, steps / 2, dtype)
    assert worst <= 1, f"off by {worst:.3g} tolerances"


def assert_moves_as_the_oracle(
    front_end, enrolment, arguments, gradients, x=None, dtype="float64"
):
    """Compares all steps from `x` or `parameters`; returns the optimizer."""
    x = parameters() if x is None else x
    optimizer = front_end.optimizer(enrolment.name, **arguments)
    actual = positions(front_end, optimizer, x, gradients, dtype)
    expected = oracle_positions(enrolment, arguments, x, gradients)
    assert_close(actual, expected, dtype)
    return optimizer


def same_bits(actual, expected):
    """Returns whether two lists of arrays agree in every bit."""
    return len(actual) == len(expected) and all(
        a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        for a, b in zip(actual, expected, strict=True)
    )
