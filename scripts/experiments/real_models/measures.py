"""Measures what claims are about: differences between arms, over seeds.

A measure takes the runs of all experiments and its arguments in `claims.yaml`.
It returns an estimate and the two ends of its interval of 95 %.
"""

import math
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
from scipy import stats

from experiments.real_models.run_key import RunKey

# The runs of each experiment.
Runs = Mapping[str, Mapping[RunKey, Mapping]]

_REPLICATES = 20_000
# Of these a run that has diverged has more than any other.
_LOWER_IS_BETTER = ("loss", "spikes")


def difference(
    runs: Runs,
    experiment: str,
    arm: str,
    to: str,
    of: str,
    to_experiment: str | None = None,
) -> np.ndarray:
    """Returns the mean over seeds of what an arm has more than another."""
    return interval(
        differences(
            runs, (experiment, arm), (to_experiment or experiment, to), of
        )
    )


def gap_change(
    runs: Runs, experiment: str, to_experiment: str, arm: str, to: str, of: str
) -> np.ndarray:
    """Returns how much larger a difference is than in another experiment."""
    here, there = (
        differences(runs, (name, arm), (name, to), of)
        for name in (experiment, to_experiment)
    )
    return interval(here - there)


def band_ratio(
    runs: Runs, experiment: str, arm: str, to: str, of: str
) -> np.ndarray:
    """Returns the width of an arm's band over seeds, by that of another."""
    pairs = [values(compared(runs[experiment], name), of) for name in (arm, to)]
    return interval(
        np.array(pairs), lambda p: band(p[..., 0, :]) / band(p[..., 1, :])
    )


def share_above(
    runs: Runs, experiment: str, arm: str, to: str, of: str, limit: float
) -> np.ndarray:
    """Returns how many more runs of an arm end above a limit, as a share."""
    one, other = (
        values(compared(runs[experiment], name), of) > limit
        for name in (arm, to)
    )
    return interval(one.astype("float64") - other)


def decile_gap(
    runs: Runs,
    experiment: str,
    arm: str,
    to: str,
    to_experiment: str | None = None,
) -> np.ndarray:
    """Returns how much more an arm is behind in rare words than in frequent."""
    of_arms = (
        compared(runs[name], of)
        for name, of in ((experiment, arm), (to_experiment or experiment, to))
    )
    gaps = []
    for pair in zip(*of_arms, strict=True):
        if any(run["diverged"] for run in pair):
            gaps.append(math.nan)
            continue
        one, other = (
            np.array(run["metrics"]["loss_by_decile"], "float64")
            for run in pair
        )
        gaps.append((one - other)[-1] - (one - other)[0])
    return interval(np.array(gaps))


MEASURES: dict[str, Callable] = {
    measure.__name__: measure
    for measure in (
        *(difference, gap_change, band_ratio, share_above),
        decile_gap,
    )
}


def compared(runs: Mapping[RunKey, Mapping], arm: str) -> list[Mapping]:
    """Returns the runs of an arm that are compared, by seed.

    Args:
        runs: Runs of one experiment.
        arm: Name of the arm.
    """
    found = {
        key.seed: run
        for key, run in runs.items()
        if key.arm == arm and not key.is_tuning
    }
    return [found[seed] for seed in sorted(found)]


def values(runs: Sequence[Mapping], of: str) -> np.ndarray:
    """Returns a measure of each run, infinitely bad where one has diverged.

    Args:
        runs: The runs.
        of: Name of the measure.
    """
    worst = math.inf if of in _LOWER_IS_BETTER else -math.inf
    return np.array(
        [
            worst
            if run["diverged"]
            else (run["spikes"] if of == "spikes" else run["metrics"][of])
            for run in runs
        ],
        "float64",
    )


def differences(
    runs: Runs, one: tuple[str, str], other: tuple[str, str], of: str
) -> np.ndarray:
    """Returns what an arm has more than another, for each seed.

    Args:
        runs: All runs.
        one: Names of an experiment and of an arm of it.
        other: The same, of the arm to compare with.
        of: Name of the measure.
    """
    found = [
        values(compared(runs[experiment], arm), of)
        for experiment, arm in (one, other)
    ]
    # Both may have diverged: nothing is known then.
    with np.errstate(invalid="ignore"):
        return found[0] - found[1]


def band(samples: np.ndarray) -> np.ndarray:
    """Returns the range from the 5 % to the 95 % quantile, over the last axis.

    Args:
        samples: Array.
    """
    low, high = np.quantile(samples, [0.05, 0.95], axis=-1)
    return high - low


def interval(
    samples: np.ndarray, statistic: Callable | None = None
) -> np.ndarray:
    """Returns a statistic over seeds and the ends of its interval of 95 %.

    The bootstrap's quantiles are those of Hesterberg (2015), section 5.3: they
    are further out, since few seeds make the percentile interval too narrow.

    Args:
        samples: Array whose last axis is that of the seeds.
        statistic: Callable from such an array to the statistic. Defaults to the
            mean.
    """
    if statistic is None:
        statistic = _mean
    number = samples.shape[-1]
    if number == 1:
        # One seed says nothing about others.
        return np.array([statistic(samples), -math.inf, math.inf])
    rng = np.random.default_rng(0)
    chosen = rng.integers(0, number, (_REPLICATES, number))
    # Replicates come first, seeds stay last.
    replicates = statistic(np.moveaxis(samples[..., chosen], -2, 0))
    quantile = math.sqrt(number / (number - 1)) * stats.t.ppf(0.025, number - 1)
    share = stats.norm.cdf(quantile)
    if np.isnan(replicates).any():
        return np.array([statistic(samples), -math.inf, math.inf])
    ends = np.quantile(replicates, [share, 1 - share], method="nearest")
    return np.array([statistic(samples), *ends])


def _mean(samples):
    with np.errstate(invalid="ignore"):
        return samples.mean(axis=-1)
