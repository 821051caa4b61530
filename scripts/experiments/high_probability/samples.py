"""Defines the statistics of simulated errors, with bootstrap replicates."""

import functools

import numpy as np

# Runs are resampled in this many batches, which hold every 200th run.
BATCHES = 200
REPLICATES = 400
# Runs that lie beyond a quantile, or make a mean, that is said to be known.
LEAST_BEYOND = 20


@functools.cache
def weights(count: int = BATCHES) -> np.ndarray:
    """Returns how often each batch is drawn, of shape (1 + replicates, count).

    The first row is the sample itself. All cases are resampled alike, so that
    ratios of runs on the same noise are paired.

    Args:
        count: Number of batches.
    """
    random = np.random.default_rng(0)
    drawn = random.multinomial(count, [1 / count] * count, REPLICATES)
    return np.concatenate([np.ones((1, count)), drawn])


class Samples:
    """Stores the errors of a case's runs at its checkpoints.

    All statistics have a row for the sample and one for each replicate.

    Args:
        errors: Array of shape (checkpoints, runs).
        checkpoints: Numbers of the steps.
    """

    def __init__(self, errors: np.ndarray, checkpoints: tuple[int, ...]):
        self.errors = errors
        self.checkpoints = np.asarray(checkpoints)
        self.runs = errors.shape[1]
        count = min(BATCHES, self.runs)
        self._weights = weights(count)
        self._batch = np.arange(self.runs) % count
        self._totals = self._weights @ np.bincount(self._batch)

    def at(self, step: int | None) -> int:
        """Returns the place of a checkpoint, the last one for `None`."""
        if step is None:
            return -1
        (place,) = np.nonzero(self.checkpoints == step)[0]
        return int(place)

    def mean(self, step: int | None = None) -> np.ndarray:
        """Returns the mean error, of shape (rows,)."""
        return self._mean(self.errors[self.at(step)].astype("float64"))

    def probability(self, epsilon: float) -> np.ndarray:
        """Returns the share of errors above `epsilon`: (rows, checkpoints)."""
        return np.stack(
            [self._mean(errors > epsilon) for errors in self.errors], 1
        )

    def quantiles(self, deltas: list, step: int | None = None) -> np.ndarray:
        """Returns `Q_{1−δ}` for each δ, of shape (rows, deltas).

        It is the largest error that more than a share δ of the runs reach, and
        NaN if fewer than 20 runs lie beyond.

        Args:
            deltas: Probabilities.
            step: Number of the step. Defaults to the last one.
        """
        errors = self.errors[self.at(step)]
        count = min(self.runs, int(1.5 * max(deltas) * self.runs) + 2_000)
        top = np.argpartition(-errors, count - 1)[:count]
        top = top[np.argsort(-errors[top], kind="stable")]
        values, batch = errors[top].astype("float64"), self._batch[top]
        rows = []
        for row, total in zip(self._weights, self._totals, strict=True):
            reached = np.cumsum(row[batch])
            # Rounding must not move a run across a quantile.
            bounds = np.asarray(deltas) * total * (1 + 1e-12)
            places = np.searchsorted(reached, bounds, side="right")
            rows.append(values[np.minimum(places, count - 1)])
        few = np.asarray(deltas) * self.runs < LEAST_BEYOND
        return np.where(few, np.nan, np.stack(rows))

    def steps_to(self, epsilon: float, delta: float) -> np.ndarray:
        """Returns K(ε, δ), the least K with `P(error > ε) ≤ δ`: (rows, 3).

        The first number interpolates log P between checkpoints, as if it was
        linear in log K. K lies between the other two: the step after the last
        checkpoint with a larger P, and the checkpoint after that one, infinite
        if there is none. All are NaN if δ is that of fewer than 20 runs.
        """
        if delta * self.runs < LEAST_BEYOND:
            return np.full((len(self._weights), 3), np.nan)
        found = []
        floor = 0.5 / self.runs
        for chances in self.probability(epsilon):
            # From the last checkpoint back, so that a later rise counts.
            above = np.nonzero(chances > delta)[0]
            if not len(above):
                first = float(self.checkpoints[0])
                found.append((first, 1.0, first))
                continue
            last = above[-1]
            least = self.checkpoints[last] + 1.0
            if last == len(chances) - 1:
                found.append((np.inf, least, np.inf))
                continue
            high, low = np.log(np.maximum(chances[last : last + 2], floor))
            share = (high - np.log(delta)) / (high - low)
            one, two = np.log(self.checkpoints[last : last + 2])
            between = float(np.exp(one + share * (two - one)))
            most = float(self.checkpoints[last + 1])
            found.append((max(least, between), least, most))
        return np.array(found)

    def _mean(self, values):
        sums = np.bincount(self._batch, values)
        return self._weights @ sums / self._totals
