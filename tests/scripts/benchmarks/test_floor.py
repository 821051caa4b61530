"""The bytes that a step cannot do without, and those of its state."""

import keras
import pytest

from benchmarks import floor
from benchmarks.contestants import CONTESTANTS
from benchmarks.modes import MODES


def test_adam_moves_seven_numbers_a_parameter():
    # It reads x, g, m and v, and writes x, m and v.
    assert floor.bytes_moved(1000, slots=2, norm=False) == 7 * 4 * 1000


def test_a_norm_is_one_more_pass_over_the_gradients():
    assert floor.bytes_moved(1000, slots=0, norm=False) == 3 * 4 * 1000
    assert floor.bytes_moved(1000, slots=0, norm=True) == 4 * 4 * 1000


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        (mode, name)
        for mode in ("graph", "tf_keras")
        for name, contestant in CONTESTANTS.items()
        if contestant.family in MODES[mode].families
    ],
)
def test_a_contestant_keeps_as_many_slots_as_it_is_said_to(mode, name):
    import tensorflow as tf

    values = [tf.zeros((40, 50)), tf.zeros((500,))]
    kind = tf.Variable if mode == "tf_keras" else keras.Variable
    optimizer = CONTESTANTS[name].make(mode)
    optimizer.build([kind(value) for value in values])
    variables = optimizer.variables
    if callable(variables):
        variables = variables()
    state = floor.bytes_of_state(variables)
    slots = 4 * 2500 * CONTESTANTS[name].slots
    # What all variables share takes a few numbers.
    assert slots <= state < slots + 100
    # The learning rate and the number of steps are more than nothing.
    assert len(list(variables)) >= 2
