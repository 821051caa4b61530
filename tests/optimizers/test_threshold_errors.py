"""Thresholds that an optimizer does not take."""

import keras
import numpy as np
import pytest

from keras_clip import thresholds
from keras_clip.thresholds import AdaptiveThreshold
from keras_clip.thresholds import PolynomialThreshold
from tests.support.front_ends import both_front_ends
from tests.support.refusals import refused_naming

SHAPES = ((2, 3), (2,))
ARRAYS = [np.ones(3), np.float64(2.0)]


def _variables(front_end):
    return front_end.variables([np.zeros(shape) for shape in SHAPES])


def _give(front_end, name, how, threshold, **arguments):
    """Gives a threshold to the constructor, or sets it as the property."""
    if how == "constructor":
        front_end.optimizer(name, clip_threshold=threshold, **arguments)
    else:
        front_end.optimizer(name, **arguments).clip_threshold = threshold


both_ways = pytest.mark.parametrize("how", ["constructor", "property"])


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("gclip", 1.0, None),
        ("gclip", None, 1.0),
        ("gclip", 1.0, PolynomialThreshold()),
        ("clip_adam_norm", PolynomialThreshold(), 1.0),
        ("clip_adagrad_norm", PolynomialThreshold(), AdaptiveThreshold()),
        ("clip_adam", AdaptiveThreshold(), 1.0),
        ("clip_adagrad", AdaptiveThreshold(), None),
        ("cclip", 1.0, ARRAYS),
        ("cclip", ARRAYS, 1.0),
        ("cclip", ARRAYS, [np.ones(3), np.ones(2)]),
        ("cclip", ARRAYS, ARRAYS[:1]),
        ("cclip", ARRAYS, PolynomialThreshold(ARRAYS)),
        ("cclip", PolynomialThreshold(1.0), PolynomialThreshold(ARRAYS)),
    ],
)
@both_front_ends
def test_threshold_of_another_kind_raises_once_built(
    front_end, name, before, after
):
    optimizer = front_end.optimizer(name, clip_threshold=before)
    optimizer.build(_variables(front_end))
    kind = thresholds.serialize(thresholds.get(before))
    config = optimizer.get_config()
    start = "`clip_threshold` must be of the kind that the optimizer was built "
    with refused_naming(f"{start}with, as {kind}: ", clip_threshold=after):
        optimizer.clip_threshold = after
    assert optimizer.get_config() == config


@pytest.mark.parametrize("built", [False, True])
@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), "1", True, [-1.0]])
@both_front_ends
def test_bad_threshold_raises_when_it_is_set(front_end, value, built):
    optimizer = front_end.optimizer("cclip", clip_threshold=2.0)
    if built:
        optimizer.build(_variables(front_end))
    start = "`clip_threshold` must be a positive number"
    with refused_naming(start, clip_threshold=value):
        optimizer.clip_threshold = value
    assert optimizer.clip_threshold == 2.0


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("gclip", {}),
        ("clip_adam_norm", {}),
        ("clip_adagrad_norm", {}),
        ("clip_adam", {}),
        ("clip_adam", {"clipping": "layer"}),
        ("clip_adagrad", {"clipping": "layer"}),
    ],
)
@both_ways
@pytest.mark.parametrize("kind", ["arrays", "polynomial"])
@both_front_ends
def test_arrays_raise_but_for_clipping_by_coordinate(
    front_end, name, arguments, how, kind
):
    value = ARRAYS if kind == "arrays" else PolynomialThreshold(ARRAYS)
    start = "`clip_threshold` must be one number"
    with refused_naming(start, clip_threshold=value):
        _give(front_end, name, how, value, **arguments)


@pytest.mark.parametrize(
    "arrays",
    [
        [1.0],
        [1.0, 1.0, 1.0],
        [np.ones(2), 1.0],
        [np.ones((2, 3)), np.ones(3)],
        [np.ones((1, 2, 3)), 1.0],
        [1.0, np.ones((2, 2))],
        [1.0, np.ones(0)],
    ],
    ids=lambda arrays: str([np.shape(array) for array in arrays]),
)
@pytest.mark.parametrize("kind", ["arrays", "polynomial"])
@both_front_ends
def test_arrays_that_do_not_fit_the_variables_raise_at_the_build(
    front_end, arrays, kind
):
    value = arrays if kind == "arrays" else PolynomialThreshold(arrays)
    optimizer = front_end.optimizer("cclip", clip_threshold=value)
    shapes = [np.shape(array) for array in arrays]
    end = f"Received: clip_threshold with arrays of shapes {shapes}"
    start = "`clip_threshold` must hold one array for each"
    with refused_naming(start, str(list(SHAPES)), end):
        optimizer.build(_variables(front_end))


@both_front_ends
def test_arrays_that_do_not_fit_raise_at_every_step(front_end):
    """No step is taken by an optimizer that was built by halves."""
    optimizer = front_end.optimizer("cclip", clip_threshold=[1.0])
    variables = _variables(front_end)
    for _ in range(2):
        with pytest.raises(ValueError, match="`clip_threshold` must hold one"):
            front_end.apply(
                optimizer, [np.ones(shape) for shape in SHAPES], variables
            )


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="elsewhere there is no gradient of one replica",
)
@both_ways
@pytest.mark.parametrize("name", ["gclip", "cclip", "clip_adam_norm"])
@both_front_ends
def test_threshold_that_follows_the_norm_raises_with_clipping_per_replica(
    front_end, name, how
):
    value = AdaptiveThreshold()
    start = "`clip_threshold` must not follow the norm with"
    with refused_naming(start, "`clip_per_replica`", clip_threshold=value):
        _give(front_end, name, how, value, clip_per_replica=True)


@pytest.mark.parametrize("built", [False, True])
@both_front_ends
def test_acclip_has_no_threshold_to_read_or_set(front_end, built):
    optimizer = front_end.optimizer("acclip")
    if built:
        optimizer.build(_variables(front_end))
    message = "^ACClip has no `clip_threshold`$"
    with pytest.raises(AttributeError, match=message):
        _ = optimizer.clip_threshold
    with pytest.raises(AttributeError, match=message):
        optimizer.clip_threshold = 1.0
    assert not hasattr(optimizer, "clip_threshold")
    assert "clip_threshold" not in optimizer.get_config()
