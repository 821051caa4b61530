"""Ratios are those of steps that were taken side by side."""

import pytest

from benchmarks import rounds


class Machine:
    """A clock, and steps that take time by it, ever more as it gets slow."""

    def __init__(self):
        self.now = 0.0
        self.done = []

    def step(self, name, seconds):
        def take():
            # Ten times as slow in the second half.
            slow = 10.0 if len(self.done) >= 20 else 1.0
            self.now += slow * seconds
            self.done.append(name)

        return take


def test_ratios_are_taken_within_a_round():
    machine = Machine()
    steps = {"a": machine.step("a", 0.25), "b": machine.step("b", 0.5)}
    times = rounds.interleaved(steps, 20, warm_up=0, clock=lambda: machine.now)
    found = rounds.ratio(times["a"], times["b"])
    assert found == rounds.Quartiles(0.5, 0.5, 0.5)
    # The times themselves are not that steady.
    assert rounds.quartiles(times["a"]).high >= 2.5


def test_a_round_has_every_step_once_and_rounds_differ_in_order():
    machine = Machine()
    names = ["a", "b", "c", "d"]
    steps = {name: machine.step(name, 1.0) for name in names}
    times = rounds.interleaved(steps, 10, 3, 2, lambda: machine.now)
    orders = [tuple(machine.done[i : i + 4]) for i in range(0, 48, 4)]
    assert all(sorted(order) == names for order in orders)
    assert len(set(orders)) > 3
    # Twelve were taken, and the first two were not timed.
    assert {len(seconds) for seconds in times.values()} == {10}
    assert all(seconds.count(10.0) >= 7 for seconds in times.values())


def test_a_seed_makes_the_order():
    orders = []
    for seed in (0, 0, 1):
        machine = Machine()
        steps = {name: machine.step(name, 1.0) for name in "abcd"}
        rounds.interleaved(steps, 5, seed, clock=lambda: 0.0)
        orders.append(machine.done)
    assert orders[0] == orders[1] != orders[2]


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        ([5.0], (5.0, 5.0, 5.0)),
        ([1.0, 3.0], (1.5, 2.0, 2.5)),
        ([5.0, 1.0, 4.0, 2.0, 3.0], (2.0, 3.0, 4.0)),
    ],
)
def test_quartiles_are_interpolated_within_the_sample(sample, expected):
    assert rounds.quartiles(sample) == rounds.Quartiles(*expected)


def test_a_ratio_needs_as_many_rounds_of_both():
    with pytest.raises(ValueError, match="zip"):
        rounds.ratio([1.0, 2.0], [1.0])
