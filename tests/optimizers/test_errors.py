"""Bad arguments and calls fail early and say what was wrong."""

import keras
import numpy as np
import pytest

import keras_clip
from tests.support.enrolment import ENROLMENTS
from tests.support.enrolment import every_optimizer
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.refusals import refused_naming
from tests.support.shared_code import both_kinds
from tests.support.shared_code import every_optimizer_once

NAN, INF = float("nan"), float("inf")

ERRORS_OF_ALL = (
    ({"learning_rate": -1.0}, "`learning_rate` must be a number in [0, inf)"),
    ({"learning_rate": NAN}, "`learning_rate` must be a number in [0, inf)"),
    ({"learning_rate": True}, "`learning_rate` must be a number in [0, inf)"),
    ({"learning_rate": "0.1"}, "`learning_rate` must be a number in [0, inf)"),
    ({"learning_rate": None}, "`learning_rate` must be a number in [0, inf)"),
    ({"learning_rate": [0.1]}, "`learning_rate` must be a number in [0, inf)"),
    ({"learning_rate": (0.1,)}, "`learning_rate` must be a number in [0, inf"),
    ({"weight_decay": -1}, "`weight_decay` must be a number in [0, inf)"),
    ({"weight_decay": INF}, "`weight_decay` must be a number in [0, inf)"),
    ({"weight_decay": "0.1"}, "`weight_decay` must be a number in [0, inf)"),
    ({"clipnorm": 0}, "`clipnorm` must be a number in (0, inf)"),
    ({"clipvalue": -1.0}, "`clipvalue` must be a number in (0, inf)"),
    ({"global_clipnorm": NAN}, "`global_clipnorm` must be a number in (0, inf"),
    ({"nonfinite": "ignore"}, "`nonfinite` must be one of 'skip', 'propagate'"),
    ({"jit_compile": "yes"}, "`jit_compile` must be one of 'auto', True, Fals"),
    ({"jit_compile": 1}, "`jit_compile` must be one of 'auto', True, False"),
    ({"monitor": 2}, "`monitor` must be one of False, True"),
    ({"monitor": None}, "`monitor` must be one of False, True"),
    ({"clip_per_replica": 1}, "`clip_per_replica` must be one of False, True"),
    ({"clip_per_replica": "no"}, "`clip_per_replica` must be one of False, T"),
    ({"clip_per_replica": None}, "`clip_per_replica` must be one of False, T"),
    (
        {"exclude_from_weight_decay": "bias"},
        "`exclude_from_weight_decay` must be a list of regular expressions",
    ),
    (
        {"exclude_from_weight_decay": ["bias", 1.5]},
        "`exclude_from_weight_decay` must be a list of regular expressions",
    ),
)

ERRORS_OF_KERAS = (
    *(
        (
            {"loss_scale_factor": value},
            "`loss_scale_factor` must be a number in (0, inf)",
        )
        for value in (0, -8.0, NAN, INF, "8", True)
    ),
    *(
        (
            {"gradient_accumulation_steps": value},
            "`gradient_accumulation_steps` must be an integer in [2, inf)",
        )
        for value in (1, 0, -2, 2.5, 2.0, "2", True)
    ),
)

# All arguments of one optimizer for tf_keras, which are checked as those of
# Keras 3 are.
every_error = pytest.mark.parametrize(
    ("front_end", "name", "arguments", "start"),
    [
        (front_end, enrolment.name, arguments, start)
        for front_end, enrolments in (
            (KERAS, ENROLMENTS.values()),
            (TF_KERAS, [ENROLMENTS["acclip"]]),
        )
        for enrolment in enrolments
        for arguments, start in (*ERRORS_OF_ALL, *enrolment.errors)
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)


@every_error
def test_bad_argument_is_named_with_what_was_received(
    front_end, name, arguments, start
):
    with refused_naming(start, **arguments):
        front_end.optimizer(name, **arguments)


@pytest.mark.parametrize(
    ("arguments", "start"),
    ERRORS_OF_KERAS,
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
@both_kinds
def test_bad_argument_of_keras_is_named_with_what_was_received(
    enrolment, arguments, start
):
    with refused_naming(start, **arguments):
        KERAS.optimizer(enrolment.name, **arguments)


@pytest.mark.parametrize(
    "pair",
    [
        ("clipnorm", "clipvalue"),
        ("clipnorm", "global_clipnorm"),
        ("clipvalue", "global_clipnorm"),
    ],
    ids="+".join,
)
@every_optimizer_once
def test_two_clipping_arguments_at_once_raise(front_end, enrolment, pair):
    named = [f"`{name}`" for name in pair] + [f"{name}=1.0" for name in pair]
    with refused_naming("", *named):
        front_end.optimizer(enrolment.name, **{name: 1.0 for name in pair})


@pytest.mark.parametrize(
    ("front_end", "error"),
    [(KERAS, ValueError), (TF_KERAS, TypeError)],
    ids=["keras", "tf_keras"],
)
@every_optimizer
def test_unknown_argument_raises_as_in_the_framework(
    enrolment, front_end, error
):
    with pytest.raises(error, match="beta_3"):
        front_end.optimizer(enrolment.name, beta_3=0.9)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tf_keras is there alone"
)
@pytest.mark.parametrize(
    ("argument", "value"),
    [("gradient_accumulation_steps", 2), ("loss_scale_factor", 8.0)],
)
@both_kinds
def test_argument_that_tf_keras_lacks_raises_and_names_the_keras_class(
    enrolment, argument, value
):
    cls = TF_KERAS.optimizer_class(enrolment.name)
    start = f"`{argument}` must be None in tf_keras"
    with refused_naming(
        start, f"`keras_clip.{cls.__name__}`", **{argument: value}
    ):
        cls(**{argument: value})


@every_optimizer_once
def test_excluding_from_decay_after_the_build_raises(front_end, enrolment):
    optimizer = front_end.optimizer(enrolment.name)
    optimizer.build(front_end.variables([np.zeros(2)]))
    start = "`exclude_from_weight_decay()` must be called before"
    with refused_naming(start, var_list=None, var_names=["bias"]):
        optimizer.exclude_from_weight_decay(var_names=["bias"])


@every_optimizer_once
def test_excluding_by_a_single_string_raises(front_end, enrolment):
    optimizer = front_end.optimizer(enrolment.name)
    with refused_naming(
        "`var_names` must be a list of regular expressions.", var_names="bias"
    ):
        optimizer.exclude_from_weight_decay(var_names="bias")


@pytest.mark.parametrize(
    ("front_end", "error", "fragment"),
    [
        (KERAS, ValueError, "Unknown variable"),
        (TF_KERAS, KeyError, "must hold variables that the optimizer was"),
    ],
    ids=["keras", "tf_keras"],
)
@every_optimizer
def test_unknown_variable_raises_and_moves_nothing(
    enrolment, front_end, error, fragment
):
    optimizer = front_end.optimizer(enrolment.name, learning_rate=1.0)
    known, unknown = front_end.variables([np.ones(2), np.ones(2)])
    optimizer.build([known])
    with pytest.raises(error, match=fragment):
        front_end.apply(optimizer, [np.ones(2)], [unknown])
    assert front_end.value(unknown).tolist() == [1.0, 1.0]
    assert int(optimizer.update_count) == 0


@every_optimizer_once
def test_a_step_without_any_gradient_raises(front_end, enrolment):
    optimizer = front_end.optimizer(enrolment.name)
    variables = front_end.variables([np.ones(2), np.ones(2)])
    with pytest.raises(ValueError, match="No gradients provided for any"):
        front_end.apply(optimizer, [None, None], variables)
    assert int(optimizer.iterations) == 0


def test_getting_an_unknown_optimizer_names_the_known_ones():
    start, unknown = "`identifier` must be one of ", "adam_with_clipping"
    with refused_naming(start, *ENROLMENTS, identifier=unknown):
        keras_clip.get(unknown)
