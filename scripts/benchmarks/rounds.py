"""Times steps in turns, so that all of them see the machine alike."""

import random
import statistics
import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple


class Quartiles(NamedTuple):
    """The middle of a sample: three quartiles.

    Args:
        low: A quarter of the sample is less.
        median: Half of it is less.
        high: Three quarters are less.
    """

    low: float
    median: float
    high: float


def interleaved(
    steps: Mapping[str, Callable[[], None]],
    rounds: int,
    seed: int = 0,
    warm_up: int = 3,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Returns how long steps take, all of them once a round in random order.

    Args:
        steps: Callables by name that return when their work is done.
        rounds: Number of rounds.
        seed: Seed of the order. Defaults to 0.
        warm_up: Rounds before these, which are not timed. Defaults to 3.
        clock: Returns the time in seconds, `time.perf_counter` by default.

    Returns:
        By name the seconds of every round.
    """
    order = list(steps)
    shuffle = random.Random(seed).shuffle
    times = {name: [] for name in steps}
    for _ in range(warm_up + rounds):
        shuffle(order)
        for name in order:
            start = clock()
            steps[name]()
            times[name].append(clock() - start)
    return {name: each[warm_up:] for name, each in times.items()}


def quartiles(sample: Sequence[float]) -> Quartiles:
    """Returns the quartiles of a sample, interpolated.

    Args:
        sample: At least one number.
    """
    if len(sample) == 1:
        return Quartiles(sample[0], sample[0], sample[0])
    return Quartiles(*statistics.quantiles(sample, n=4, method="inclusive"))


def ratio(times: Sequence[float], of: Sequence[float]) -> Quartiles:
    """Returns the quartiles of the ratios that two have in the same rounds.

    Args:
        times: Seconds of one in every round.
        of: Seconds of the other in the same rounds.
    """
    return quartiles([a / b for a, b in zip(times, of, strict=True)])
