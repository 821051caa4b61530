"""Decides which runs of an experiment come next.

Each arm has the same number of learning rates, neighbours on one grid. If the
best of an arm is at an edge, every arm gets one more on that side, twice at
most. The best rate of each arm is then run with fresh seeds.
"""

import dataclasses
import math
from collections.abc import Mapping

from experiments.real_models.run_key import TUNING_SEED
from experiments.real_models.run_key import RunKey

# Neighbouring learning rates are a factor of √10 apart, unless an experiment
# says otherwise.
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
    below = above = 0
    for extensions in range(MOST_EXTENSIONS + 1):
        rates = {
            name: _grid(experiment, arm, below, above)
            for name, arm in experiment["arms"].items()
        }
        keys = {
            name: [
                RunKey(experiment["name"], name, rate, TUNING_SEED)
                for rate in tried
            ]
            for name, tried in rates.items()
        }
        missing = [k for ks in keys.values() for k in ks if k not in finished]
        if missing:
            return Found(rates, missing, {}, [])
        places = {
            name: max(
                range(len(ks)), key=lambda i: score(experiment, finished[ks[i]])
            )
            for name, ks in keys.items()
        }
        best = {name: rates[name][place] for name, place in places.items()}
        low = [name for name, place in places.items() if place == 0]
        high = [
            name
            for name, place in places.items()
            if place == len(rates[name]) - 1
        ]
        if not (low or high) or extensions == MOST_EXTENSIONS:
            break
        below += bool(low)
        above += bool(high)
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


def score(experiment: Mapping, run: Mapping) -> tuple[float, ...]:
    """Returns what a search maximizes: the measure, then minus the loss.

    Args:
        experiment: The experiment.
        run: A finished run.
    """
    if run["diverged"]:
        return (-math.inf,)
    sign = 1 if experiment["higher_is_better"] else -1
    metrics = run["metrics"]
    # Many models that call all sentences acceptable are equal by the measure.
    return (sign * metrics[experiment["measure"]], -metrics.get("loss", 0.0))


def _grid(experiment, arm, below, above):
    """Returns the learning rates of an arm, with two digits."""
    factor = experiment.get("factor", FACTOR)
    number = experiment.get("rates", 3)
    first = -(number // 2) - below
    return [
        float(f"{arm['rate'] * factor**i:.2g}")
        for i in range(first, first + number + below + above)
    ]
