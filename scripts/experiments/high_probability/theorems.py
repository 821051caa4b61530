"""Lists the arms of the papers' theorems, set up as the theorems say."""

import itertools
import math

import numpy as np
from scipy import integrate

from experiments.high_probability.case import MILLION
from experiments.high_probability.case import Case
from experiments.high_probability.case import memory_of
from experiments.high_probability.case import norm
from experiments.high_probability.case import settings
from experiments.high_probability.case import sgd
from experiments.high_probability.noise_laws import Law
from experiments.high_probability.noise_laws import SkewedPareto
from experiments.high_probability.noise_laws import Spike
from experiments.high_probability.noise_laws import StudentT
from experiments.high_probability.noise_laws import Unequal
from experiments.high_probability.noise_laws import scales
from experiments.high_probability.problems import DoubleWell
from experiments.high_probability.problems import Huber
from experiments.high_probability.problems import Quadratic
from keras_clip.thresholds import PolynomialThreshold

ALPHA = 1.5
# Numbers of steps K of what is set up by K.
HORIZONS = (64, 256, 1024, 4096)
DIMENSIONS = (10, 30, 100, 300, 1000)
DOUBLE_WELL = DoubleWell(distance=3.0)
SMOOTHNESS = 3.0


def arms() -> dict[str, dict[str, Case]]:
    """Returns the cases of these arms, by name of the arm and of the case."""
    return {
        **_of_the_first_paper(),
        **_flat_lines(),
        **_spikes(),
        **_dimensions(),
    }


def strongly_convex(law: Law, threshold: object, **more: object) -> Case:
    """Returns clipped SGD as in the first paper's Theorem 4.

    The rate is `4/(μ(k+1))` with μ = 1, the parameters are projected, and the
    error is that of the k-weighted average.

    Args:
        law: The law of the noise.
        threshold: The threshold.
        **more: More arguments of the case.
    """
    more = {"settings": sgd(threshold, projection_radius=100.0), **more}
    return Case(
        law=law, learning_rate=4.0, decay="harmonic", error="average", **more
    )


def printed_threshold(alpha: float, sigma: float, steps: int) -> float:
    """Returns the τ that the first paper's Theorem 2 prints.

    Args:
        alpha: Order of a finite moment of the noise.
        sigma: Root of that moment.
        steps: Number of steps K.
    """
    gap = float(DOUBLE_WELL.height(DOUBLE_WELL.start()[None])[0])
    return max(
        2.0,
        48 ** (1 / (alpha - 1)) * sigma ** (alpha / (alpha - 1)),
        8 * sigma,
        (sigma**2 * steps / (gap * SMOOTHNESS)) ** (1 / (3 * alpha - 2)),
    )


def moment(tail_index: float, order: float) -> float:
    """Returns `(E|ξ|^order)^(1/order)` of skewed Pareto noise.

    Args:
        tail_index: Its tail index.
        order: Below the tail index.
    """
    mean = tail_index / (tail_index - 1)

    def density(t):
        return tail_index * t ** (-tail_index - 1) * abs(t - mean) ** order

    pieces = (1, mean), (mean, 10 * mean), (10 * mean, math.inf)
    total = sum(integrate.quad(density, *piece)[0] for piece in pieces)
    return total ** (1 / order)


def _of_the_first_paper():
    indices = (1.2, 1.8)
    found = {
        "theorem 4": {
            f"theorem 4, α = {alpha}": strongly_convex(
                SkewedPareto(alpha),
                PolynomialThreshold(1.0, 1 / alpha),
                runs=MILLION // len(indices),
                steps=10_000,
            )
            for alpha in indices
        }
    }
    pairs = list(itertools.product((ALPHA, 1.8), HORIZONS))
    found["theorem 2"] = {
        f"theorem 2, α = {alpha}, K = {steps}": _nonconvex(
            alpha,
            steps,
            threshold=steps ** (1 / (3 * alpha - 2)),
            learning_rate=steps ** (-alpha / (3 * alpha - 2)) / SMOOTHNESS,
            runs=MILLION // len(pairs),
        )
        for alpha, steps in pairs
    }
    # The moment of order α itself is infinite.
    order = ALPHA - 0.1
    sigma = moment(ALPHA, order)
    found["theorem 2 as printed"] = {}
    for steps in HORIZONS:
        tau = printed_threshold(order, sigma, steps)
        name = f"theorem 2 as printed, K = {steps}"
        found["theorem 2 as printed"][name] = _nonconvex(
            ALPHA,
            steps,
            threshold=tau,
            learning_rate=min(1 / 4, tau**-order, 1 / (24 * tau)) / SMOOTHNESS,
            runs=MILLION // len(HORIZONS),
        )
    return found


def _nonconvex(alpha, steps, threshold, learning_rate, runs):
    return Case(
        sgd(threshold),
        SkewedPareto(alpha),
        runs=runs,
        steps=steps,
        problem=DOUBLE_WELL,
        learning_rate=learning_rate,
        error="gradient",
    )


def _flat_lines():
    """Returns arms on lines whose slope the noise hides for K steps.

    With a slope of `K^(1/α − 1)` no method can tell in K steps where the line
    falls: it is the convex lower bound's problem. The rates are those of an
    upper bound. Smaller ones end lower, the least not above the start.
    """
    alpha = 1.2
    methods = {
        "gclip": (sgd, lambda k: k ** (-1 / alpha)),
        "clip_adagrad_norm": (
            lambda level: norm("adagrad", level),
            lambda k: 1.0,
        ),
    }
    return {
        f"{name} on flat lines": {
            f"{name} on a flat line, {error}, K = {steps}": Case(
                make(steps ** (1 / alpha)),
                SkewedPareto(alpha),
                runs=MILLION // (2 * len(HORIZONS)),
                steps=steps,
                problem=Huber(
                    distance=1.0, slope=0.5 * steps ** (1 / alpha - 1)
                ),
                learning_rate=rate_of(steps),
                error=error,
            )
            for error, steps in itertools.product(
                ("height", "gradient"), HORIZONS
            )
        }
        for name, (make, rate_of) in methods.items()
    }


def _spikes():
    """Returns arms on a line, where one gradient of all is huge.

    With a delay the spike throws the iterate off; the step sizes after it are
    small in any case, and the way back is long.
    """
    probabilities = {0: (0.1, 0.01, 0.001), 1: (0.1, 0.03, 0.01)}
    horizon = 4_000
    # Of Adam-Norm b² is a mean, so b₀ and the rate are 1/√K of AdaGrad-Norm's.
    methods = {
        "adagrad": (1.0, {}),
        "adam": (
            horizon**-0.5,
            {"beta_1": 0.0, "beta_2": memory_of(horizon)},
        ),
    }
    found = {}
    for base, (scale, more) in methods.items():
        cases = {}
        for (prefix, level), delay in itertools.product(
            (("", None), ("clip_", 1.0)), (0, 1)
        ):
            method = norm(
                base, level, delay=delay, initial_accumulator=scale, **more
            )
            for probability in probabilities[delay]:
                name = (
                    f"{prefix}{base}_norm, delay = {delay}, δ = {probability}"
                )
                cases[name] = Case(
                    method,
                    Spike(ALPHA, probability),
                    runs=MILLION // 12,
                    steps=1_000,
                    problem=Huber(distance=4.0),
                    learning_rate=scale,
                    # K(ε, δ) is known as well as checkpoints are close.
                    per_decade=200,
                )
        found[f"{base}_norm after a spike"] = cases
    return found


def _dimensions():
    """Returns clipping by norm and by coordinate, as their theorems say.

    They start at the minimum: noise alone moves them.
    """
    found = {"gclip over dimensions": {}, "cclip over dimensions": {}}
    laws = {
        "equal": (StudentT(ALPHA), np.ones),
        "unequal": (Unequal(law=StudentT(ALPHA)), scales),
    }
    for (kind, (law, widths)), d in itertools.product(laws.items(), DIMENSIONS):
        size = np.asarray(widths(d))
        whole = float(np.sum(size**ALPHA) ** (1 / ALPHA))
        for name, scale in (("gclip", whole), ("cclip", [size])):
            found[f"{name} over dimensions"][f"{name}, {kind}, d = {d}"] = (
                strongly_convex(
                    law,
                    None,
                    settings=settings(
                        name,
                        clip_threshold=PolynomialThreshold(scale, 1 / ALPHA),
                        projection_radius=100.0,
                    ),
                    runs=MILLION // (2 * len(DIMENSIONS) * d),
                    problem=Quadratic(d, distance=0.0),
                )
            )
    return found
