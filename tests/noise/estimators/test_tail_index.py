"""An estimate says what its interval allows it to say."""

import dataclasses

import pytest

from keras_clip.noise import TailIndex


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (1.0, 1.99, "heavy-tailed"),
        (1.0, 2.0, "undecided"),
        (1.9, 2.1, "undecided"),
        (2.0, 2.0, "not heavy-tailed"),
        (2.0, 3.0, "not heavy-tailed"),
        (2.5, 3.0, "not heavy-tailed"),
    ],
)
def test_verdict_needs_the_whole_interval(low, high, verdict):
    assert TailIndex(1.8, low, high, 0.95, 100).verdict == verdict


def test_an_estimate_is_one_line_and_does_not_change():
    index = TailIndex(1.5249, 1.306, 1.776, 0.95, 100)
    assert str(index) == "1.52 [1.31, 1.78]"
    assert index.k is None
    with pytest.raises(dataclasses.FrozenInstanceError):
        index.alpha = 2.0
