"""The pure step refuses what does not fit, and is a function of values."""

import dataclasses

import numpy as np
import pytest
from keras import ops

from keras_clip.rules.acclip import ACClipRule
from keras_clip.rules.clip_adam import ClipAdamRule
from keras_clip.rules.clip_adam_norm import ClipAdamNormRule
from keras_clip.step import Settings
from keras_clip.step import State
from keras_clip.step import start
from keras_clip.step import take
from keras_clip.thresholds import AdaptiveThreshold
from keras_clip.thresholds import Threshold
from tests.support.enrolment import ENROLMENTS
from tests.support.programs.launch import results_of
from tests.support.refusals import refused


def tensors(arrays):
    return [ops.convert_to_tensor(array, "float32") for array in arrays]


def adam(**arguments):
    settings = Settings(ClipAdamRule(), clip_threshold=1.0, **arguments)
    values = tensors([np.ones(3), np.ones((2, 2))])
    return settings, values, start(settings, values)


@pytest.mark.parametrize(
    ("gradients", "message"),
    [
        ([np.ones(3)], "`gradients` must be of as many variables as `values`"),
        (
            [np.ones(3), np.ones(4)],
            "`gradients` must have the shapes of `values`. Received: gradients "
            r"with \(4,\) for variable 1 of shape \(2, 2\)",
        ),
        (
            [np.ones(3), None],
            "the shapes of `values`. Received: gradients with None for",
        ),
    ],
)
def test_gradients_of_other_counts_or_shapes_are_refused(gradients, message):
    settings, values, state = adam()
    with pytest.raises(ValueError, match=message):
        take(settings, values, state, gradients, 0.1)


def test_state_of_other_settings_or_variables_is_refused():
    settings, values, state = adam()
    gradients = tensors([np.ones(3), np.ones((2, 2))])
    of_none = State([(), ()], state.scalars)
    with pytest.raises(ValueError, match="`state` must have 2 slots"):
        take(settings, values, of_none, gradients, 0.1)
    of_one = State(state.slots[:1], state.scalars)
    with pytest.raises(ValueError, match="`state` must be of as many"):
        take(settings, values, of_one, gradients, 0.1)
    swapped = State(state.slots[::-1], state.scalars)
    with pytest.raises(ValueError, match="`state` must have the shapes"):
        take(settings, values, swapped, gradients, 0.1)


@pytest.mark.parametrize("state", [None, ([], [])], ids=repr)
def test_state_that_is_none_is_refused(state):
    settings, values, _ = adam()
    gradients = tensors([np.ones(3), np.ones((2, 2))])
    with refused(
        "`state` must be what `start` or", f"Received: state={state!r}"
    ):
        take(settings, values, state, gradients, 0.1)


def test_state_with_scalars_of_other_settings_is_refused():
    settings, values, state = adam()
    gradients = tensors([np.ones(3), np.ones((2, 2))])
    without = Settings(ClipAdamRule())
    with pytest.raises(ValueError, match="`threshold_scales` of shape"):
        take(without, values, state, gradients, 0.1)
    with pytest.raises(ValueError, match="`state` must be what `start` makes"):
        take(settings, values, start(without, values), gradients, 0.1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "a list of at least one tensor"),
        (np.ones((3, 4)), "a list of at least one tensor"),
        ([np.ones(3, "int32")], "Received: values of dtype int32 for"),
    ],
)
def test_values_that_are_none_of_variables_are_refused(values, message):
    settings, _, state = adam()
    with pytest.raises(ValueError, match=message):
        start(settings, values)
    with pytest.raises(ValueError, match=message):
        take(settings, values, state, values, 0.1)


@pytest.mark.parametrize(
    ("rule", "arguments", "message"),
    [
        (
            ACClipRule(),
            {"clip_threshold": 1.0},
            "`clip_threshold` must be None",
        ),
        (
            ACClipRule(),
            {"clipping": "global"},
            "`clipping` must be one of None",
        ),
        (
            ClipAdamNormRule(),
            {"clipping": "layer"},
            "`clipping` must be one of 'global'",
        ),
        (
            ClipAdamRule(),
            {"clip_threshold": [np.ones(3)]},
            "must be one number",
        ),
        (ClipAdamRule(), {"clip_threshold": -1.0}, "must be a positive number"),
        (ClipAdamRule(), {"undecayed": {"a"}}, "`undecayed` must hold"),
        (ClipAdamRule(), {"weight_decay": -1.0}, r"in \[0, inf\)"),
        (ClipAdamRule(), {"monitor": 1}, "`monitor` must be one of"),
        (ClipAdamRule, {}, "`rule` must be a rule"),
        ("clip_adam", {}, "`rule` must be a rule"),
    ],
)
def test_settings_that_cannot_be_fail_when_they_are_made(
    rule, arguments, message
):
    with pytest.raises(ValueError, match=message):
        Settings(rule, **arguments)


def test_variable_that_is_not_to_decay_does_not():
    for undecayed, moved in ((set(), [0.5, 0.5]), ({1}, [0.5, 1.0])):
        settings = Settings(
            ClipAdamRule(), weight_decay=0.5, undecayed=undecayed
        )
        values = tensors([np.ones(3), np.ones((2, 2))])
        zeros = tensors([np.zeros(3), np.zeros((2, 2))])
        values, _ = take(settings, values, start(settings, values), zeros, 1.0)
        assert [float(np.asarray(x).flat[0]) for x in values] == moved


def test_settings_are_hashable_and_equal_if_their_fields_are():
    arrays = [np.ones(3), np.full(2, 0.5)]
    for threshold in (1.0, None, AdaptiveThreshold(2.0), [*arrays]):
        one, other = (
            Settings(
                ClipAdamRule(beta_1=0.5),
                clipping="coordinate",
                clip_threshold=threshold,
                weight_decay=0.5,
            )
            for _ in range(2)
        )
        assert one == other and hash(one) == hash(other)
        assert one != dataclasses.replace(one, monitor=True)
        assert one != dataclasses.replace(one, clip_threshold=0.25)
    bent = [arrays[0], np.array([0.5, 0.25])]
    assert one != dataclasses.replace(one, clip_threshold=bent)


def test_settings_with_a_threshold_of_a_users_own_are_hashable_too():
    class Unhashable(Threshold):
        def __eq__(self, other):
            return isinstance(other, Unhashable)

    settings = Settings(ClipAdamRule(), clip_threshold=Unhashable(1.0))
    assert settings == dataclasses.replace(settings)
    assert {settings: 1}[dataclasses.replace(settings)] == 1


def test_threshold_arrays_must_be_those_of_the_values():
    settings = Settings(
        ClipAdamRule(), clipping="coordinate", clip_threshold=[np.ones((5, 3))]
    )
    with pytest.raises(ValueError, match="one array for each variable"):
        start(settings, tensors([np.ones(3)]))


@pytest.mark.slow
def test_thousand_runs_at_once_on_jax_are_a_thousand_single_ones():
    vectorized = results_of("vectorized", backend="jax")
    assert {name for name, _ in vectorized} == set(ENROLMENTS)
    for case, result in vectorized.items():
        assert max(result["distances"]) < 1e-5, case
        assert result["same"], case
        assert result["skipped"] == 1, case
