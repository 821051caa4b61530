"""Thresholds of a user's own classes clip, are set, saved and loaded."""

import keras
import numpy as np
import pytest

import keras_clip
from keras_clip import thresholds
from tests.support.front_ends import both_front_ends
from tests.support.gradients import heavy_tailed_gradients
from tests.support.models import SHAPES
from tests.support.models import train
from tests.support.refusals import refused_naming
from tests.support.saving import assert_go_on_alike
from tests.support.saving import model_for_h5
from tests.support.trajectories import stepped

pytestmark = pytest.mark.usefixtures("functions_run_eagerly")


@keras.saving.register_keras_serializable("tests")
class HalvingThreshold(thresholds.Threshold):
    """Of a user's own: it halves every so many updates, from a start."""

    def __init__(self, scale, every=2, label="mine"):
        super().__init__(scale)
        self.every = float(every)
        self.label = label

    @property
    def parameters(self):
        return (self.every,)

    def with_numbers(self, scale, parameters):
        return type(self)(scale, *parameters, self.label)

    def unit(self, k, parameters, moment):
        (every,) = parameters
        return 0.5 ** keras.ops.floor((k - 1) / every)

    def get_config(self):
        own = {"every": self.every, "label": self.label}
        return {**super().get_config(), **own}


@pytest.mark.parametrize("file", ["model.keras", "model.h5"])
@both_front_ends
def test_threshold_of_a_users_own_is_saved_and_loaded_as_itself(
    front_end, file, tmp_path
):
    threshold = HalvingThreshold(4.0, 1, label="tuned")
    model = model_for_h5(front_end, "gclip", {"clip_threshold": threshold})
    gradients = heavy_tailed_gradients(SHAPES, steps=4)
    train(front_end, model, gradients[:2])
    model.save(tmp_path / file)
    loaded = front_end.framework.models.load_model(tmp_path / file)
    threshold = loaded.optimizer.clip_threshold
    assert type(threshold) is HalvingThreshold
    expected = {"scale": 4.0, "every": 1.0, "label": "tuned"}
    assert threshold.get_config() == expected
    if (front_end.name, file) == ("keras", "model.h5"):
        # Keras 3.15.1 builds no optimizer of such a file on its variables.
        return
    assert_go_on_alike(front_end, model, loaded, gradients[2:])
    assert loaded.optimizer.last_threshold == 0.5


class _Decaying(thresholds.Threshold):
    """Of a user's own: `rate` is no parameter."""

    def __init__(self, scale, rate=0.5):
        super().__init__(scale)
        self.rate = rate

    def unit(self, k, parameters, moment):
        return 1 / (1 + self.rate * k)

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


class _Required(HalvingThreshold):
    """It needs an argument that its parameters do not give."""

    def __init__(self, scale, every, label, power):
        super().__init__(scale, every, label)
        self.power = power

    with_numbers = thresholds.Threshold.with_numbers


def _stepped_once(front_end, threshold):
    """Returns an optimizer and the variable that it has stepped from zero."""
    arguments = {"learning_rate": 1.0, "clip_threshold": threshold}
    gradients, x = [[np.array([8.0])]], [np.zeros(1)]
    optimizer, (x,) = stepped(front_end, "gclip", arguments, gradients, x)
    return optimizer, x


@both_front_ends
def test_argument_that_is_no_parameter_of_a_threshold_is_kept(front_end):
    optimizer, x = _stepped_once(front_end, _Decaying(3.0, 2.0))
    assert front_end.value(x).tolist() == [-1.0]
    expected = {"scale": 3.0, "rate": 2.0}
    assert optimizer.clip_threshold.get_config() == expected
    optimizer.clip_threshold = _Decaying(5.0, 2.0)
    front_end.apply(optimizer, [np.array([8.0])], [x])
    assert front_end.value(x).tolist() == [-2.0]


@both_front_ends
def test_argument_that_is_no_parameter_cannot_be_set_between_steps(front_end):
    optimizer, _ = _stepped_once(front_end, _Decaying(3.0))
    with pytest.raises(ValueError, match="only its scale and `parameters` can"):
        optimizer.clip_threshold = _Decaying(3.0, 0.25)


@both_front_ends
def test_threshold_that_does_not_give_itself_back_is_refused(front_end):
    start = "`clip_threshold` must be what its `with_numbers"
    with refused_naming(start, "Received: clip_threshold=_Required("):
        front_end.optimizer("gclip", clip_threshold=_Required(1.0, 2, "a", 3))


@both_front_ends
def test_threshold_of_a_users_own_can_be_set_between_steps(front_end):
    optimizer, x = _stepped_once(front_end, HalvingThreshold(4.0))
    optimizer.clip_threshold = HalvingThreshold(1.0, 8)
    front_end.apply(optimizer, [np.array([8.0])], [x])
    assert front_end.value(x).tolist() == [-5.0]
    assert optimizer.clip_threshold.get_config()["every"] == 8.0


def test_threshold_that_is_not_registered_is_named_where_it_is_loaded():
    identifier = {
        "module": "nowhere",
        "class_name": "LostThreshold",
        "config": {"scale": 1.0},
        "registered_name": "LostThreshold",
    }
    start = "`clip_threshold` must be of a class that is reg"
    with refused_naming(
        start, "LostThreshold", clip_threshold=identifier
    ) as error:
        keras_clip.GClip(clip_threshold=identifier)
    assert "\n" not in str(error.value)
    other = keras.saving.serialize_keras_object(keras_clip.GClip())
    with pytest.raises(
        ValueError, match="what its `get_config` returns: it is "
    ):
        keras_clip.GClip(clip_threshold=other)


class _ShareOfNorm(thresholds.Threshold):
    """For each variable an array times the norm of its gradient."""

    moves_with_norm = True

    def moment_after(self, k, parameters, norm, moment):
        return norm

    def unit(self, k, parameters, moment):
        return moment


@both_front_ends
def test_arrays_that_follow_the_norm_are_each_for_their_own_variable(front_end):
    scales = (np.float64([0.25, 2.0]), np.float64(0.5))
    arguments = {"learning_rate": 1.0, "clip_threshold": _ShareOfNorm(scales)}
    gradients, start = [[3.0, 4.0], [8.0]], [np.zeros(2), np.zeros(1)]
    gradients = [[np.array(gradient) for gradient in gradients]]
    _, variables = stepped(front_end, "cclip", arguments, gradients, start)
    x, y = front_end.values(variables)
    np.testing.assert_allclose(x, [-1.25, -4.0], rtol=1e-6)
    np.testing.assert_allclose(y, [-4.0], rtol=1e-6)


@both_front_ends
def test_arrays_do_not_follow_a_clipped_norm(front_end):
    class OfClipped(_ShareOfNorm):
        of = "clipped"

    with pytest.raises(ValueError, match="must be one number where it follows"):
        front_end.optimizer(
            "cclip", clip_threshold=OfClipped((np.ones(2), np.ones(1)))
        )
