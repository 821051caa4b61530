"""An optimizer's attributes are those of the settings of its steps."""

import copy

import numpy as np
import pytest

from tests.support.enrolment.record import Adaptive
from tests.support.front_ends import both_front_ends
from tests.support.refusals import refused_naming

pytestmark = pytest.mark.usefixtures("functions_run_eagerly")


def moved(front_end, optimizer, gradient=(1.0, 1.0)):
    """Returns how far one step moves a variable."""
    (variable,) = front_end.variables([np.ones(2)])
    front_end.apply(optimizer, [np.array(gradient)], [variable])
    return front_end.values([variable])[0] - 1


@both_front_ends
def test_attributes_can_be_set_and_are_the_settings(front_end):
    optimizer = front_end.optimizer("clip_adam", beta_1=0.5, weight_decay=0.25)
    optimizer.beta_1 = 0.75
    optimizer.weight_decay = 0.125
    optimizer.clipping = "layer"
    settings = optimizer.step_settings
    assert settings.rule.beta_1 == optimizer.beta_1 == 0.75
    assert settings.weight_decay == optimizer.weight_decay == 0.125
    assert settings.clipping == optimizer.clipping == "layer"
    config = optimizer.get_config()
    assert (config["beta_1"], config["clipping"]) == (0.75, "layer")
    with pytest.raises(ValueError, match=r"`beta_1` must be a number in \[0"):
        optimizer.beta_1 = 1.0
    assert optimizer.beta_1 == 0.75


OTHER_STATE = [
    ("gclip", {"clip_threshold": None}, "momentum", 0.5),
    ("gclip", {"momentum": 0.5}, "momentum", 0.0),
    ("clip_adagrad", {"beta_1": 0.0}, "beta_1", 0.5),
    ("acclip", {"alpha": 2.0}, "alpha", 1.0),
    ("acclip", {"step_scaling": "threshold"}, "step_scaling", "rms"),
    ("clip_adam_norm", {}, "delay", 2),
    ("clip_adam", {"clip_threshold": Adaptive()}, "clipping", "layer"),
]


@pytest.mark.parametrize(
    ("name", "arguments", "attribute", "value"), OTHER_STATE
)
@both_front_ends
def test_value_that_needs_other_state_is_refused_once_built(
    front_end, name, arguments, attribute, value
):
    optimizer = front_end.optimizer(name, **arguments)
    before = getattr(optimizer, attribute)
    setattr(optimizer, attribute, value)
    setattr(optimizer, attribute, before)
    moved(front_end, optimizer)
    start = f"`{attribute}` must be one that needs the same state variables"
    with refused_naming(start, **{attribute: value}):
        setattr(optimizer, attribute, value)
    assert getattr(optimizer, attribute) == before
    setattr(optimizer, attribute, before)


@both_front_ends
def test_keras_clipping_can_be_changed_one_attribute_after_the_other(front_end):
    optimizer = front_end.optimizer(
        "gclip", learning_rate=1.0, clip_threshold=None, clipnorm=1.0
    )
    optimizer.clipvalue = 0.5
    optimizer.clipnorm = None
    np.testing.assert_allclose(moved(front_end, optimizer), [-0.5, -0.5])
    optimizer = front_end.optimizer(
        "gclip", learning_rate=1.0, clip_threshold=None, clipnorm=1.0
    )
    optimizer.clipnorm = 0
    assert optimizer.clipnorm is None
    np.testing.assert_allclose(moved(front_end, optimizer), [-1, -1])


@both_front_ends
def test_copies_made_before_the_variables_step_by_their_own(front_end):
    first = front_end.optimizer("clip_adam", learning_rate=0.125)
    second = copy.copy(first)
    np.testing.assert_allclose(moved(front_end, first), -0.125, rtol=1e-5)
    np.testing.assert_allclose(
        moved(front_end, second, (-1.0, 1.0)), [0.125, -0.125], rtol=1e-5
    )


@both_front_ends
def test_class_attributes_of_a_users_own_do_not_hide_the_settings(front_end):
    cls = type(front_end.optimizer("clip_adam"))

    class Own(cls):
        beta_1 = 0.5
        monitor = True

    optimizer = Own(beta_1=0.75)
    assert optimizer.beta_1 == optimizer.rule.beta_1 == 0.75
    assert not optimizer.monitor
    optimizer.beta_1 = 0.25
    assert optimizer.rule.beta_1 == 0.25
    with pytest.raises(TypeError, match="`beta_1` must not be overridden"):

        class _Hidden(cls):
            @property
            def beta_1(self):
                return 0.5


@both_front_ends
def test_subclass_may_have_settings_and_steps_of_its_own(front_end):
    cls = type(front_end.optimizer("gclip"))

    class Own(cls):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.settings = {"a": 1}
            self._steps = 5

    assert np.all(moved(front_end, Own(learning_rate=1.0)) < 0)


@both_front_ends
def test_arguments_are_not_there_before_the_constructor(front_end):
    optimizer = front_end.optimizer("clip_adam")
    assert not hasattr(type(optimizer).__new__(type(optimizer)), "beta_1")


@both_front_ends
def test_arguments_can_be_given_by_their_positions(front_end):
    cls = type(front_end.optimizer("clip_adam"))
    optimizer = cls(0.5, 0.25, 0.75)
    assert (optimizer.beta_1, optimizer.beta_2) == (0.25, 0.75)
    names = [
        name
        for name in cls.__init__.__annotations__
        if name not in ("self", "kwargs", "return")
    ]
    config = optimizer.get_config()
    defaults = {"clip_threshold": 1.0, "initial_accumulator_value": None}
    values = [{**config, **defaults, "name": "mine"}.get(n) for n in names]
    assert cls(*values).name == "mine"
