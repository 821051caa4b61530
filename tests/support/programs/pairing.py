"""Steps by gradients and variables that do not pair off."""

import keras
import numpy as np

from tests.support.front_ends import KERAS
from tests.support.shared_code import KINDS
from tests.support.trajectories import same_bits

STEPS = 4
SHAPES = ((3, 2), (2,))
ARGUMENTS = {"learning_rate": 0.25, "monitor": True, "global_clipnorm": 2.0}


def _gradients():
    """Yields two gradients for the first variable and one for the second.

    They are multiples of 1/8, so that their sums are exact.
    """
    rng = np.random.default_rng(11)
    for _ in range(STEPS):
        shapes = (SHAPES[0], SHAPES[0], SHAPES[1])
        yield [rng.integers(-16, 16, shape) / 8.0 for shape in shapes]


def _made(front_end, name, **arguments):
    """Returns an optimizer and variables for it."""
    optimizer = front_end.optimizer(name, **ARGUMENTS, **arguments)
    return optimizer, front_end.variables([np.ones(shape) for shape in SHAPES])


def _ends(front_end, name, step, **arguments):
    """Returns where variables and state end by `step` of three gradients."""
    optimizer, variables = _made(front_end, name, **arguments)
    for gradients in _gradients():
        step(optimizer, gradients, variables)
    return front_end.values(variables) + front_end.state(optimizer)


def variable_given_twice_is_moved_by_the_sum(front_end, name, **arguments):
    """Returns whether both are equal to the bit, state included.

    So several models do together that share a layer, with others in between.
    """

    def twice(optimizer, gradients, variables):
        one, two = variables
        first, again, other = gradients
        front_end.apply(optimizer, [first, other, again], [one, two, one])

    def summed(optimizer, gradients, variables):
        total = [gradients[0] + gradients[1], gradients[2]]
        front_end.apply(optimizer, total, variables)

    return same_bits(
        _ends(front_end, name, twice, **arguments),
        _ends(front_end, name, summed, **arguments),
    )


def variable_given_twice_may_lack_a_gradient_once(front_end, name):
    """Returns whether the other gradient alone moves it."""

    def twice(optimizer, gradients, variables):
        one, two = variables
        given = [None, gradients[1], gradients[2]]
        front_end.apply(optimizer, given, [one, one, two])

    def once(optimizer, gradients, variables):
        front_end.apply(optimizer, gradients[1:], variables)

    return same_bits(
        _ends(front_end, name, twice), _ends(front_end, name, once)
    )


def built_with_a_variable_twice_it_has_the_state_of_one(front_end, name):
    """Returns whether the state is that of an optimizer that was not."""

    def states(repeats):
        optimizer, (one, two) = _made(front_end, name)
        optimizer.build([one] * repeats + [two])
        gradients = [np.ones(SHAPES[0]), np.ones(SHAPES[1])]
        front_end.apply(optimizer, gradients, [one, two])
        return front_end.state(optimizer)

    return same_bits(states(1), states(2))


def values_of_a_variable_twice_are_moved_alike(front_end, name):
    """Returns whether both come back moved by the sum; JAX has this only."""
    if keras.backend.backend() != "jax" or front_end is not KERAS:
        return True
    ends = []
    for repeats in (1, 2):
        optimizer, (one, two) = _made(front_end, name)
        given = [one] * repeats + [two]
        optimizer.build(given)
        x = [v.value for v in given]
        state = [v.value for v in optimizer.variables]
        for first, second, third in _gradients():
            total = [first + second] if repeats == 1 else [first, second]
            gradients = [np.float32(g) for g in (*total, third)]
            x, state = optimizer.stateless_apply(state, gradients, x)
        x, state = ([np.asarray(v) for v in vs] for vs in (x, state))
        if not same_bits([x[0]] * repeats, x[:repeats]):
            return False
        ends.append([x[0], x[-1], *state])
    return same_bits(*ends)


def gradients_alone_are_those_of_the_build(front_end, name):
    """Returns whether `apply` without variables takes one for each given."""
    if front_end is not KERAS:
        return True

    def alone(optimizer, gradients, variables):
        one, two = variables
        optimizer.build([one, one, two])
        optimizer.apply([front_end.tensor(g) for g in gradients])

    def given(optimizer, gradients, variables):
        one, two = variables
        front_end.apply(optimizer, gradients, [one, one, two])

    return same_bits(
        _ends(front_end, name, alone), _ends(front_end, name, given)
    )


CLAIMS = (
    values_of_a_variable_twice_are_moved_alike,
    gradients_alone_are_those_of_the_build,
    variable_given_twice_is_moved_by_the_sum,
    variable_given_twice_may_lack_a_gradient_once,
    built_with_a_variable_twice_it_has_the_state_of_one,
)

# By name: gradients, values and dtypes of the variables, and the message.
ERRORS = {
    "too few gradients": (
        [np.ones(3)],
        [np.ones(3), np.ones(3)],
        "float32",
        "`grads` must hold one gradient for each variable. Received: "
        "1 gradients and 2 variables",
    ),
    "too many gradients": (
        [np.ones(3), np.ones(3)],
        [np.ones(3)],
        "float32",
        "`grads` must hold one gradient for each variable. Received: "
        "2 gradients and 1 variables",
    ),
    "no gradient at all": (
        [],
        [np.ones(3)],
        "float32",
        "`grads` must hold one gradient for each variable. Received: "
        "0 gradients and 1 variables",
    ),
    "a shape that broadcasts": (
        [np.ones(1)],
        [np.ones(3)],
        "float32",
        "`grads` must have the shapes of their variables. Received: a gradient "
        "of shape (1,) for the variable 'x0' of shape (3,)",
    ),
    "a scalar": (
        [np.ones(())],
        [np.ones((3, 2))],
        "float32",
        "`grads` must have the shapes of their variables. Received: a gradient "
        "of shape () for the variable 'x0' of shape (3, 2)",
    ),
    "an axis too many": (
        [np.ones((1, 3))],
        [np.ones(3)],
        "float32",
        "`grads` must have the shapes of their variables. Received: a gradient "
        "of shape (1, 3) for the variable 'x0' of shape (3,)",
    ),
    "an integer variable": (
        [np.ones(3, "int32")],
        [np.ones(3)],
        "int32",
        "`variables` must be of floating-point dtypes. Received: variable 'x0' "
        "of dtype int32",
    ),
    "a complex variable": (
        [np.ones(3, "complex64")],
        [np.ones(3)],
        "complex64",
        "`variables` must be of floating-point dtypes. Received: variable 'x0' "
        "of dtype complex64",
    ),
    "a complex gradient": (
        [np.ones(3, "complex64")],
        [np.ones(3)],
        "float32",
        "`grads` must be real. Received: a gradient of dtype complex64 for the "
        "variable 'x0'",
    ),
}
# What a step refuses, and what the build does.
BUILD_ERRORS = ("an integer variable", "a complex variable")


def message(front_end, name, error, **arguments):
    """Returns what an optimizer says to gradients and variables of `ERRORS`.

    It starts with a bang if a variable moved or an update was counted.
    """
    gradients, values, dtype, _ = ERRORS[error]
    optimizer = front_end.optimizer(name, learning_rate=1.0, **arguments)
    variables = front_end.variables(values, dtype)
    tensors = [front_end.tensor(g, g.dtype.name) for g in gradients]
    try:
        if error in BUILD_ERRORS:
            optimizer.build(variables)
        elif front_end is KERAS:
            optimizer.apply(tensors, variables)
        else:
            optimizer.apply_gradients(zip(tensors, variables, strict=False))
    except ValueError as raised:
        moved = not same_bits(
            front_end.values(variables), [v.astype(dtype) for v in values]
        )
        return "!" * (moved or int(optimizer.iterations) > 0) + str(raised)
    return "nothing"


def main():
    """Returns, by optimizer, what holds for Keras 3 and what is said."""
    return {
        name: {
            **{claim.__name__: claim(KERAS, name) for claim in CLAIMS},
            **{error: message(KERAS, name, error) for error in ERRORS},
            "accumulated": message(
                KERAS,
                name,
                "a shape that broadcasts",
                gradient_accumulation_steps=2,
            ),
        }
        for name in KINDS
    }
