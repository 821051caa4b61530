"""ACClip's enrolment."""

import functools

import numpy as np

from tests.support.enrolment.record import Case
from tests.support.enrolment.record import Enrolment
from tests.support.enrolment.record import Halving
from tests.support.enrolment.record import Limit
from tests.support.enrolment.record import PerVariable
from tests.support.gradients import alternating_gradients
from tests.support.gradients import heavy_tailed_gradients
from tests.support.oracles.acclip import ACClipOracle
from tests.support.oracles.adam import AdamOracle


def _variants():
    """Every alpha with every scaling.

    Each scaling is once with and once without correction, each of these once
    with and once without decay.
    """
    variants = {}
    for a, alpha in enumerate((1.0, 1.3, 1.5, 2.0)):
        for s, scaling in enumerate(("rms", "threshold", None)):
            correction = bool((a + s) % 2)
            decay = 0.125 * ((a // 2 + s) % 2)
            name = f"alpha={alpha:g},{scaling}"
            name += ",corrected" * correction + ",decay" * (decay > 0)
            variants[name] = {
                "learning_rate": Halving(0.125, 6) if decay else 0.0625,
                "alpha": alpha,
                "step_scaling": scaling,
                "bias_correction": correction,
                "weight_decay": decay,
            }
    variants["betas=0,corrected"] = {
        "learning_rate": 0.25,
        "beta_1": 0.0,
        "beta_2": 0.0,
        "bias_correction": True,
    }
    variants["other constants"] = {
        "learning_rate": 0.03125,
        "beta_1": 0.5,
        "beta_2": 0.75,
        "epsilon": 0.25,
        "alpha": 1.75,
        "weight_decay": 0.5,
    }
    return variants


class _ACClipOracles(PerVariable):
    """Knows which coordinates are clipped: those of the momentum."""

    def __init__(self, variables, **hyperparameters):
        super().__init__(ACClipOracle, variables, **hyperparameters)

    @property
    def clip_fraction(self):
        return np.mean(np.concatenate(self._clipped()))

    @property
    def clip_fractions(self):
        return [np.mean(where) for where in self._clipped()]

    def _clipped(self):
        where = []
        for each in self.each:
            m, tau_alpha = each.m, each.tau_alpha
            if each.bias_correction:
                m = m / (1 - each.beta_1**each.k)
                tau_alpha = tau_alpha / (1 - each.beta_2**each.k)
            tau = tau_alpha ** (1 / each.alpha)
            clipped = (tau < np.abs(m) + each.epsilon) & (m != 0)
            where.append(clipped.ravel())
        return where


class _SquaredGradient:
    """`β1 = β2 = 0` and no scaling: a step of `lr · |g| / (|g| + ε) · g`."""

    def __init__(self, x, learning_rate, epsilon):
        self.x = np.array(x, np.float64)
        self.learning_rate = learning_rate
        self.epsilon = epsilon

    def step(self, g, learning_rate=None):
        factor = np.abs(g) / (np.abs(g) + self.epsilon)
        self.x = self.x - self.learning_rate * factor * g
        return self.x


def _gradient_limit(alpha):
    constants = {"learning_rate": 0.0625, "epsilon": 0.5}
    return Limit(
        arguments={
            **constants,
            "alpha": alpha,
            "beta_1": 0.0,
            "beta_2": 0.0,
            "step_scaling": None,
            "weight_decay": None,
        },
        reference=functools.partial(PerVariable, _SquaredGradient, **constants),
        gradients=heavy_tailed_gradients,
    )


def _adam_limit(bias_correction):
    """`alpha = 2` and equal betas: Adam at `lr / √β2` and `ε / √β2`.

    With gradients of alternating sign and size at least ½, |m| + ε < τ, and
    nothing is clipped. Corrected moments of a single gradient are equal, so
    that there the first step is clipped, by a factor of `|g| / (|g| + ε)`.
    """
    beta, epsilon, learning_rate = 0.9, 1 / 128, 0.0625
    return Limit(
        arguments={
            "learning_rate": learning_rate,
            "beta_1": beta,
            "beta_2": beta,
            "epsilon": epsilon,
            "alpha": 2.0,
            "step_scaling": "rms",
            "bias_correction": bias_correction,
            "weight_decay": None,
        },
        reference=functools.partial(
            PerVariable,
            AdamOracle,
            learning_rate=learning_rate / np.sqrt(beta),
            beta_1=beta,
            beta_2=beta,
            epsilon=epsilon / np.sqrt(beta),
            bias_correction=bias_correction,
        ),
        gradients=alternating_gradients,
        first_step=1 if bias_correction else 0,
    )


ENROLMENT = Enrolment(
    name="acclip",
    oracle=_ACClipOracles,
    variants=_variants(),
    few=(
        "defaults",
        "alpha=1.5,threshold,corrected",
        "alpha=2,rms,corrected,decay",
    ),
    config={
        "learning_rate": 1e-3,
        "beta_1": 0.9,
        "beta_2": 0.99,
        "epsilon": 1e-5,
        "alpha": 1.0,
        "step_scaling": "rms",
        "bias_correction": False,
        "weight_decay": 1e-5,
    },
    golden={
        "learning_rate": Halving(0.125, 2),
        "beta_1": 0.75,
        "beta_2": 0.875,
        "epsilon": 0.0625,
        "alpha": 1.5,
        "step_scaling": "threshold",
        "bias_correction": True,
        "weight_decay": 0.25,
        "exclude_from_weight_decay": ["bias", 2],
        "monitor": True,
    },
    heavy_tails={
        "acclip": Case({"learning_rate": 0.01}, ("SGD", {"momentum": 0.9})),
    },
    limits={
        "no betas, alpha=1": _gradient_limit(1.0),
        "no betas, alpha=1.5": _gradient_limit(1.5),
        "no betas, alpha=2": _gradient_limit(2.0),
        "Adam": _adam_limit(bias_correction=False),
        "Adam, corrected": _adam_limit(bias_correction=True),
    },
    errors=(
        ({"beta_1": 1}, "`beta_1` must be a number in [0, 1)"),
        ({"beta_1": -0.1}, "`beta_1` must be a number in [0, 1)"),
        ({"beta_1": "0.9"}, "`beta_1` must be a number in [0, 1)"),
        ({"beta_1": True}, "`beta_1` must be a number in [0, 1)"),
        ({"beta_2": 1.0}, "`beta_2` must be a number in [0, 1)"),
        ({"beta_2": None}, "`beta_2` must be a number in [0, 1)"),
        ({"epsilon": 0}, "`epsilon` must be a number in (0, inf)"),
        ({"epsilon": float("inf")}, "`epsilon` must be a number in (0, inf)"),
        ({"alpha": 3}, "`alpha` must be a number in [1, 2]"),
        ({"alpha": 0.5}, "`alpha` must be a number in [1, 2]"),
        ({"alpha": float("nan")}, "`alpha` must be a number in [1, 2]"),
        (
            {"step_scaling": "adam"},
            "`step_scaling` must be one of 'rms', 'threshold', None",
        ),
        (
            {"bias_correction": 1},
            "`bias_correction` must be one of False, True",
        ),
    ),
    clipping=None,
)
