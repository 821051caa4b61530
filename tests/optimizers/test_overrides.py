"""A subclass's own methods are called, or the class is refused."""

import functools

import numpy as np
import pytest

from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.models import dense_model
from tests.support.models import fit
from tests.support.programs.overrides import METHODS
from tests.support.programs.overrides import assert_refused
from tests.support.programs.overrides import direct_call
from tests.support.programs.overrides import error_of
from tests.support.programs.overrides import halves_are_stepped_by
from tests.support.shared_code import both_kinds
from tests.support.shared_code import every_optimizer_once
from tests.support.trajectories import same_bits

pytestmark = pytest.mark.slow

every_method = pytest.mark.parametrize("method", METHODS)


@pytest.mark.parametrize("mixed_in", [False, True])
@every_method
def test_method_that_no_step_calls_is_refused(method, mixed_in):
    error = error_of(KERAS, method, mixed_in)
    assert_refused("tensorflow", method, error)
    assert_refused("tf_keras", method, error_of(TF_KERAS, method, mixed_in))


@pytest.mark.usefixtures("functions_run_eagerly")
@every_optimizer_once
def test_gradients_that_a_subclass_clips_are_stepped_by(front_end, enrolment):
    assert halves_are_stepped_by(front_end, enrolment.name)


@pytest.mark.usefixtures("functions_run_eagerly")
@both_kinds
def test_gradients_that_a_subclass_clips_are_accumulated_first(enrolment):
    assert halves_are_stepped_by(
        KERAS, enrolment.name, gradient_accumulation_steps=2
    )


def test_one_variable_alone_is_not_moved_and_the_error_names_the_call():
    assert direct_call(KERAS) == (
        "`update_step` must not be called: a step moves all variables "
        "together. Call `apply([gradient], [variable])` to step by one. "
        "Received: variable='x0'"
    )
    assert direct_call(TF_KERAS) == (
        "`update_step` must not be called: a step moves all variables "
        "together. Call `apply_gradients([(gradient, variable)])` to step by "
        "one. Received: variable='x0'"
    )


@pytest.mark.usefixtures("functions_run_eagerly")
@both_kinds
def test_build_of_a_subclass_is_called_once_as_by_keras(enrolment):
    """It may create a variable of its own there."""

    class Own(KERAS.optimizer_class(enrolment.name)):
        def build(self, variables):
            super().build(variables)
            self.own = self.add_variable((), "zeros", name="own")

    model = dense_model(KERAS, Own())
    fit(model, epochs=2, batch_size=32)
    names = [v.name for v in model.optimizer.variables]
    assert sum(name.endswith("own") for name in names) == 1


def test_gradients_that_a_subclass_loses_are_counted():
    class Losing(KERAS.optimizer_class("gclip")):
        def _clip_gradients(self, grads):
            return grads[:1]

    optimizer = Losing()
    variables = KERAS.variables([np.ones(2), np.ones(2)])
    with pytest.raises(ValueError, match="1 gradients and 2 variables$"):
        KERAS.apply(optimizer, [np.ones(2), np.ones(2)], variables)


def _counting(cls, method):
    """Returns a subclass that counts the calls of a method."""
    calls = []

    def counted(self, *args, **kwargs):
        calls.append(method)
        return getattr(super(own, self), method)(*args, **kwargs)

    own = type("Counting", (cls,), {method: counted})
    return own, calls


@pytest.mark.usefixtures("functions_run_eagerly")
@pytest.mark.parametrize(
    ("front_end", "method"),
    [
        (KERAS, "apply"),
        (KERAS, "apply_gradients"),
        (KERAS, "_backend_update_step"),
        (KERAS, "_backend_apply_gradients"),
        (KERAS, "_use_weight_decay"),
        (TF_KERAS, "apply_gradients"),
        (TF_KERAS, "_internal_apply_gradients"),
        (TF_KERAS, "aggregate_gradients"),
        (TF_KERAS, "_use_weight_decay"),
    ],
    ids=str,
)
def test_method_that_may_be_overridden_is_called_in_fit(front_end, method):
    plain = front_end.optimizer_class("clip_adam_norm")
    own, calls = _counting(plain, method)
    end = _end_of_a_fit(front_end, own)
    assert calls
    assert same_bits(end, _end_of_a_fit(front_end, plain))


@functools.cache
def _end_of_a_fit(front_end, cls):
    """Returns the weights after a `fit`, once for each class."""
    model = dense_model(front_end, cls(weight_decay=0.125))
    fit(model, epochs=1, batch_size=32)
    return model.get_weights()
