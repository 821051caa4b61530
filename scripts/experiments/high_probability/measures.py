"""Measures what claims are about: exponents, ratios and probabilities.

A measure takes the samples of all cases and its arguments in `claims.yaml`. It
returns an array with the estimate and then its bootstrap replicates, or the two
ends of its interval.
"""

import math
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from experiments.high_probability.samples import LEAST_BEYOND
from experiments.high_probability.samples import Samples

Cases = Mapping[str, Samples]

_DELTAS = {"median": 0.5, "q99": 0.01}


def statistic(samples: Samples, name: str, step: int | None = None):
    """Returns a statistic of the errors at one step, of shape (rows,).

    It is NaN if it is that of too few runs.

    Args:
        samples: The samples.
        name: `"mean"`, `"median"` or `"q99"`.
        step: Number of the step. Defaults to the last one.
    """
    if name == "mean":
        found = samples.mean(step)
        return found if samples.runs >= LEAST_BEYOND else found * math.nan
    return samples.quantiles([_DELTAS[name]], step)[:, 0]


def quantile_slope(cases: Cases, case: str, deltas: Sequence[float]):
    """Returns the slope of `log Q_{1−δ}` in `log 1/δ` between two δ."""
    one, two = cases[case].quantiles(list(deltas)).T
    return np.log(two / one) / math.log(deltas[0] / deltas[1])


def slope_fall(cases: Cases, case: str, deltas: Sequence[float]):
    """Returns by how much that slope falls from the first two δ to the next."""
    first, second, third = deltas
    return quantile_slope(cases, case, (first, second)) - quantile_slope(
        cases, case, (second, third)
    )


def slope_difference(cases: Cases, case: str, to: str, deltas: Sequence[float]):
    """Returns the slope of one case minus that of another."""
    return quantile_slope(cases, case, deltas) - quantile_slope(
        cases, to, deltas
    )


def steps_power(cases: Cases, case: str, epsilon: float, deltas: Sequence):
    """Returns the power of 1/δ by which K(ε, δ) grows between two δ."""
    found = [cases[case].steps_to(epsilon, delta) for delta in deltas]
    return _steps_exponent(deltas, found)


def probability(cases: Cases, case: str, epsilon: float):
    """Returns `P(error > ε)` at the last step, and its exact interval.

    It is that of Clopper and Pearson: the bootstrap knows nothing of events
    that no run has seen.
    """
    from scipy import stats

    errors = cases[case].errors[-1]
    count = int(np.sum(errors > epsilon))
    found = stats.binomtest(count, len(errors)).proportion_ci(method="exact")
    return np.array([count / len(errors), found.low, found.high])


def decay(cases: Cases, case: str, of: str, steps: Sequence[int]):
    """Returns the exponent of a statistic in the number of steps."""
    one, two = (statistic(cases[case], of, step) for step in steps)
    return np.log(two / one) / math.log(steps[1] / steps[0])


def decay_difference(cases: Cases, case: str, to: str, of: str, steps):
    """Returns that exponent of one case minus that of another."""
    return decay(cases, case, of, steps) - decay(cases, to, of, steps)


def ratio(cases: Cases, case: str, to: str, of: str):
    """Returns a statistic of one case over that of another."""
    return statistic(cases[case], of) / statistic(cases[to], of)


def level(cases: Cases, case: str, of: str, height: float):
    """Returns a statistic over the height that the runs start from."""
    return statistic(cases[case], of) / height


def growth(cases: Cases, case: str, over: Sequence[float], of: str):
    """Returns the exponent of a statistic in what cases differ by.

    Args:
        cases: The samples.
        case: Name of the cases, with `{}` for the value.
        over: The values: the line through all is fitted by least squares.
        of: The statistic.
    """
    found = [statistic(cases[case.format(value)], of) for value in over]
    return _exponents(over, np.stack(found, 1))


def spread(cases: Cases, case: str, over: Sequence, of: str):
    """Returns the largest of the statistics of several cases over the least."""
    found = [statistic(cases[case.format(value)], of) for value in over]
    return np.max(found, 0) / np.min(found, 0)


def steps_growth(cases: Cases, case: str, over: Sequence[float], epsilon):
    """Returns the exponent of K(ε, δ/4) in 1/δ, over cases that differ in δ."""
    found = [
        cases[case.format(delta)].steps_to(epsilon, delta / 4) for delta in over
    ]
    return _steps_exponent(over, found)


def mean_growth(cases: Cases, case: str, sizes: Sequence[int]):
    """Returns the exponent in N of the mean over N runs.

    It is that of the median over all groups of N runs; replicates resample the
    groups.
    """
    errors = cases[case].errors[-1].astype("float64")
    random = np.random.default_rng(1)
    found = []
    for size in sizes:
        groups = errors[: len(errors) // size * size].reshape(-1, size).mean(1)
        if len(groups) < LEAST_BEYOND:
            return np.full(3, np.nan)
        drawn = random.choice(groups, (400, len(groups)))
        medians = np.median(drawn, 1)
        found.append(np.concatenate([[np.median(groups)], medians]))
    return _exponents(sizes, np.stack(found, 1))


def tail_index(cases: Cases, law: str, of: str):
    """Returns an estimate of the noise's tail index, and its interval.

    Args:
        cases: Not used.
        law: `"Gaussian"` or `"Student"` with 1.5 degrees of freedom; the scales
            of its thousand coordinates fall as 1/i.
        of: `"pooled coordinates"`, by the estimator for stable noise that the
            work before the first paper used; `"norm"`, by Hill's.
    """
    import jax

    from experiments.high_probability.noise_laws import Gaussian
    from experiments.high_probability.noise_laws import StudentT
    from experiments.high_probability.noise_laws import Unequal
    from keras_clip import noise

    of_one = {"Gaussian": Gaussian(), "Student": StudentT(1.5)}[law]
    drawn = Unequal(law=of_one).draw(jax.random.key(5), 1, (5_000, 1_000))
    drawn = np.asarray(drawn)
    if of == "norm":
        found = noise.hill(np.linalg.norm(drawn, axis=1))
    else:
        # Every 101st number, so that all coordinates are among them.
        found = noise.log_moment(drawn.ravel()[::101])
    return np.array([found.alpha, found.low, found.high])


def rmsprop_ratio(cases: Cases, which: str, beta_2: float):
    """Returns the least or greatest step of RMSProp over that of its clipping.

    Args:
        cases: Not used.
        which: `"least"` or `"greatest"`.
        beta_2: Decay rate of the second moment.
    """
    from experiments.high_probability import rmsprop

    low, high = rmsprop.extremes(beta_2)
    return np.array([low if which == "least" else high])


def _exponents(x, rows):
    """Returns the slope of each row, as logarithms, in that of `x`."""
    return np.log(rows) @ _slope_weights(x)


def _steps_exponent(deltas, found):
    """Returns the exponent of K(ε, δ) in 1/δ, and the ends of its interval.

    K is known up to where its two checkpoints are: the interval is that of the
    least and the greatest exponent that they leave.
    """
    weights = _slope_weights([1 / delta for delta in deltas])
    estimate, low, high = np.log(np.stack(found, -1)).transpose(1, 0, 2)
    rises = weights > 0
    least = np.where(rises, low, high) @ weights
    most = np.where(rises, high, low) @ weights
    ends = (
        np.quantile(replicates[1:], share, method="nearest")
        for replicates, share in ((least, 0.025), (most, 0.975))
    )
    return np.array([(estimate @ weights)[0], *ends])


def _slope_weights(x):
    """Returns weights, of which a sum of logarithms is a slope in log x."""
    x = np.log(np.asarray(x, "float64"))
    x = x - x.mean()
    return x / (x @ x)


MEASURES: dict[str, Callable] = {
    function.__name__: function
    for function in (
        quantile_slope,
        slope_fall,
        slope_difference,
        steps_power,
        probability,
        decay,
        decay_difference,
        ratio,
        level,
        growth,
        spread,
        steps_growth,
        mean_growth,
        tail_index,
        rmsprop_ratio,
    )
}
