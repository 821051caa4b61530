"""Tries methods of Keras in subclasses, on any backend."""

import numpy as np

from tests.support.front_ends import KERAS
from tests.support.shared_code import KINDS
from tests.support.trajectories import same_bits

# All that the optimizers of Keras or tf_keras override, and what those for
# TensorFlow do besides.
METHODS = (
    "update_step",
    "assign",
    "assign_add",
    "assign_sub",
    "apply_gradients",
    "apply",
    "build",
    "_apply_weight_decay",
    "_backend_update_step",
    "_clip_gradients",
    "_update_step",
    "_update_step_xla",
)

REFUSED = {
    "update_step": "`apply`",
    "assign": "`apply`",
    "assign_add": "`apply`",
    "assign_sub": "`apply`",
    "_apply_weight_decay": "`exclude_from_weight_decay`",
}
REFUSED_BY = {
    "tensorflow": REFUSED,
    "jax": {**REFUSED, "apply_gradients": "`apply`"},
    "torch": {**REFUSED, "apply_gradients": "`apply`"},
    "tf_keras": {
        "update_step": "`apply_gradients`",
        "_update_step": "`apply_gradients`",
        "_update_step_xla": "`apply_gradients`",
        "_apply_weight_decay": "`exclude_from_weight_decay`",
    },
}


def assert_refused(where, method, error):
    """Compares the error of a class with that of a backend or of tf_keras."""
    if method not in REFUSED_BY[where]:
        assert error is None
        return
    assert error.startswith(f"`{method}` must not be overridden: ")
    assert REFUSED_BY[where][method] in error
    assert error.endswith(f"Received: OwnACClip.{method}")


def error_of(front_end, method, mixed_in=False):
    """Returns what a class says to a method of its own, or `None`."""

    def override(self, *args, **kwargs):
        return None

    base = front_end.optimizer_class("acclip")
    bases, attributes = (base,), {method: override}
    if mixed_in:
        bases, attributes = (type("Mixin", (), attributes), base), {}
    try:
        type("OwnACClip", bases, attributes)
    except TypeError as error:
        return str(error)
    return None


def halves_are_stepped_by(front_end, name, **arguments):
    """Returns whether `_clip_gradients` has the last word on gradients.

    What it returns is clipped by the algorithm's own threshold after.
    """

    class Halving(front_end.optimizer_class(name)):
        calls = 0

        def _clip_gradients(self, grads):
            Halving.calls += 1
            return [0.5 * g for g in super()._clip_gradients(grads)]

    ends = []
    rng = np.random.default_rng(2)
    gradients = [[rng.normal(size=3), rng.normal(size=2)] for _ in range(4)]
    for cls, factor in (
        (Halving, 1.0),
        (front_end.optimizer_class(name), 0.5),
    ):
        optimizer = cls(learning_rate=0.25, **arguments)
        variables = front_end.variables([np.ones(3), np.ones(2)])
        for gradient in gradients:
            # Halves of powers of two are exact in every average.
            given = [np.float32(factor * g) for g in map(np.float32, gradient)]
            front_end.apply(optimizer, given, variables)
        ends.append(front_end.values(variables))
    return Halving.calls > 0 and same_bits(*ends)


def direct_call(front_end):
    """Returns what `update_step` says."""
    optimizer = front_end.optimizer("gclip")
    (x,) = front_end.variables([np.ones(2)])
    optimizer.build([x])
    rate = [] if front_end.name == "tf_keras" else [0.5]
    try:
        optimizer.update_step(front_end.tensor(np.ones(2)), x, *rate)
    except NotImplementedError as error:
        return str(error)
    return None


def main():
    """Returns what was found.

    By method, the error of a class that overrides it, or `None`; by optimizer,
    whether `_clip_gradients` is honoured; and what `update_step` says.
    """
    return {
        "errors": {method: error_of(KERAS, method) for method in METHODS},
        "halves": {
            name: halves_are_stepped_by(KERAS, name)
            and halves_are_stepped_by(
                KERAS, name, gradient_accumulation_steps=2
            )
            for name in KINDS
        },
        "direct": direct_call(KERAS),
    }
