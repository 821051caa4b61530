"""Decides which runs of an experiment come next.

Each arm has the same number of learning rates, neighbours on one grid. If the
best of an arm is at an edge, every arm gets one more on that side, twice at
most. Then every arm gets two more, on both sides of its best. The best rate of
each arm is then run with fresh seeds.
"""

import dataclasses
import math
from collections.abc import Mapping

from experiments.real_models.run_key import TUNING_SEEDS
from experiments.real_models.run_key import RunKey

# Neighbours on the grid are a factor of √10 apart, and the two last rates of an
# arm half of that from its best.
FACTOR = math.sqrt(10)
MOST_EXTENSIONS = 2


@dataclasses.dataclass(frozen=True)
class Found:
    """Stores the state of a search.

    Args:
        rates: Learning rates of each arm that are tried, in order.
        missing: Runs without which the search cannot go further.
        best: The best rate of each arm, once none is missing.
        at_edge: The arms whose best rate is at an edge all the same.
    """

    rates: Mapping[str, list[float]]
    missing: list[RunKey]
    best: Mapping[str, float]
    at_edge: list[str]


def search(experiment: Mapping, finished: Mapping[RunKey, Mapping]) -> Found:
    """Returns how far the search for the learning rates has come.

    Args:
        experiment: The experiment.
        finished: Its finished runs.
    """
    arms = experiment["arms"]
    if not experiment["searched"]:
        rates = {name: arm["rate"] for name, arm in arms.items()}
        return Found({k: [v] for k, v in rates.items()}, [], rates, [])
    below = above = 0
    for extensions in range(MOST_EXTENSIONS + 1):
        rates = {
            name: _grid(arm["rate"], below, above) for name, arm in arms.items()
        }
        if missing := _missing(experiment, rates, finished):
            return Found(rates, missing, {}, [])
        best = _best(experiment, rates, finished)
        low = [name for name in arms if best[name] == rates[name][0]]
        high = [name for name in arms if best[name] == rates[name][-1]]
        if not (low or high) or extensions == MOST_EXTENSIONS:
            break
        below += bool(low)
        above += bool(high)
    if experiment["refined"]:
        rates = {
            name: sorted({*tried, *_grid(best[name], 0, 0, math.sqrt(FACTOR))})
            for name, tried in rates.items()
        }
        if missing := _missing(experiment, rates, finished):
            return Found(rates, missing, {}, [])
        best = _best(experiment, rates, finished)
    return Found(rates, [], best, sorted({*low, *high}))


def next_runs(
    experiment: Mapping, finished: Mapping[RunKey, Mapping]
) -> list[RunKey]:
    """Returns the runs of an experiment that can be made now, in order.

    Args:
        experiment: The experiment.
        finished: Its finished runs.
    """
    found = search(experiment, finished)
    if found.missing:
        return found.missing
    return [
        key
        # A seed is complete before the next one begins: comparisons are paired.
        for seed in range(1, experiment["seeds"] + 1)
        for name in experiment["arms"]
        if (key := RunKey(experiment["name"], name, found.best[name], seed))
        not in finished
    ]


def tuning_keys(experiment: Mapping, arm: str, rate: float) -> list[RunKey]:
    """Returns the runs of the search at a learning rate.

    Args:
        experiment: The experiment.
        arm: Name of the arm.
        rate: The learning rate.
    """
    seeds = TUNING_SEEDS[: experiment["tuning_seeds"]]
    return [RunKey(experiment["name"], arm, rate, seed) for seed in seeds]


def score(experiment: Mapping, run: Mapping) -> float:
    """Returns what the search maximizes, the least possible of a divergence.

    Args:
        experiment: The experiment.
        run: A finished run.
    """
    if run["diverged"]:
        return -math.inf
    name = experiment["tuned_for"]
    value = run["metrics"][name]
    return -value if name == "loss" else value


def _missing(experiment, rates, finished):
    return [
        key
        for arm, tried in rates.items()
        for rate in tried
        for key in tuning_keys(experiment, arm, rate)
        if key not in finished
    ]


def _best(experiment, rates, finished):
    """Returns the rate of each arm with the largest mean score."""

    def mean(arm, rate):
        keys = tuning_keys(experiment, arm, rate)
        return sum(score(experiment, finished[k]) for k in keys) / len(keys)

    return {
        arm: max(tried, key=lambda rate: mean(arm, rate))
        for arm, tried in rates.items()
    }


def _grid(middle, below, above, factor=FACTOR):
    """Returns learning rates around a middle, with two digits."""
    return [
        float(f"{middle * factor**power:.2g}")
        for power in range(-1 - below, 2 + above)
    ]
