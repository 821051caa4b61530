"""Finds the best learning rate of a case, by the same grid for all."""

import dataclasses

import numpy as np

from experiments.high_probability.case import Case
from experiments.high_probability.simulator import Simulation
from experiments.high_probability.simulator import errors

# Factors of 2, as the second paper's.
GRID = tuple(2.0**power for power in range(-18, 7))
# Numbers, runs × parameters, for each rate, and the least number of runs.
NUMBERS, LEAST_RUNS = 20_000, 4_000


@dataclasses.dataclass(frozen=True)
class Tuning:
    """Stores the errors of a case at all rates of the grid.

    Args:
        quantiles: The quantile of the error that the case is tuned for, at the
            last step, for each rate of `GRID`.
    """

    quantiles: tuple[float, ...]

    @property
    def best(self) -> float:
        """Returns the rate with the least quantile."""
        return GRID[int(np.argmin(self.quantiles))]

    @property
    def is_at_edge(self) -> bool:
        """Returns whether the best rate is the first or the last."""
        return self.best in (GRID[0], GRID[-1])


def tuned(case: Case, stream: int, share: float = 1.0) -> Tuning:
    """Returns the errors of a case at all learning rates.

    Args:
        case: The case.
        stream: Number of the random stream, of no table's runs.
        share: The share of the runs to make. Defaults to all.
    """
    runs = max(LEAST_RUNS, NUMBERS // case.problem.dimension)
    simulated = dataclasses.replace(
        simulation(case, 1.0, stream),
        checkpoints=(case.steps,),
        runs=max(1, round(share * runs)),
    )
    quantiles = []
    for rate in GRID:
        found = errors(dataclasses.replace(simulated, learning_rate=rate))
        quantiles.append(float(np.quantile(found[0], case.tuned_for)))
    return Tuning(tuple(quantiles))


def simulation(
    case: Case, learning_rate: float, stream: int, share: float = 1.0
) -> Simulation:
    """Returns the simulation of a case at a learning rate.

    Args:
        case: The case.
        learning_rate: The learning rate.
        stream: Number of the random stream.
        share: The share of the runs to make. Defaults to all.
    """
    return Simulation(
        case.settings,
        case.problem,
        case.law,
        case.checkpoints,
        max(1, round(share * case.runs)),
        learning_rate,
        case.decay,
        case.error,
        stream,
    )
