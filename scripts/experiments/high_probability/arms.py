"""Lists the arms: methods, each with the cases that its claims compare.

An arm is one method with up to a million runs × parameters in all, shared out
over its cases, the values of whatever a claim sweeps.
"""

import itertools
import re

from experiments.high_probability import theorems
from experiments.high_probability.case import MILLION
from experiments.high_probability.case import Case
from experiments.high_probability.case import memory_of
from experiments.high_probability.case import norm
from experiments.high_probability.case import settings
from experiments.high_probability.case import sgd
from experiments.high_probability.noise_laws import Gaussian
from experiments.high_probability.noise_laws import Pareto
from experiments.high_probability.noise_laws import SkewedPareto
from experiments.high_probability.noise_laws import Stable
from experiments.high_probability.problems import Quadratic
from keras_clip.thresholds import AdaptiveThreshold
from keras_clip.thresholds import PolynomialThreshold

# Tail index and clip level of the second paper's quadratic.
ALPHA, LEVEL = 1.5, 0.5
DELAYS = (0, 1, 8, 64)
SCALES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)
# Of what is compared in more than one dimension.
DIMENSION = 10

_ASCII = {"α": "alpha", "β": "beta", "δ": "delta", "−": "-"}

Arms = dict[str, dict[str, Case]]


def arms() -> Arms:
    """Returns the cases of all arms, by name of the arm and of the case."""
    return {
        **_probability(),
        **_tail(),
        **_delay(),
        **_thresholds(),
        **theorems.arms(),
        **_table(),
    }


def file_name(arm: str) -> str:
    """Returns a file name for an arm, in ASCII."""
    for letter, word in _ASCII.items():
        arm = arm.replace(letter, word)
    return re.sub(r"[^A-Za-z0-9_]+", "-", arm).strip("-")


def _probability() -> Arms:
    law = Pareto(ALPHA)
    horizons = (100, 1_000, 10_000)
    found = {}
    for prefix, level in (("", None), ("clip_", LEVEL)):
        name = f"{prefix}adagrad_norm"
        found[name] = {
            name: Case(
                norm("adagrad", level),
                law,
                steps=10_000,
                tuned_for=0.99,
                # K(ε, δ) is known as well as checkpoints are close.
                per_decade=32,
            )
        }
        name = f"{prefix}adam_norm"
        found[name] = {
            f"{name}, K = {steps}": Case(
                norm("adam", level, beta_2=memory_of(steps)),
                law,
                runs=MILLION // len(horizons),
                steps=steps,
                tuned_for=0.99,
            )
            for steps in horizons
        }
    return found


def _tail() -> Arms:
    law = Pareto(ALPHA)
    delayed = norm("adagrad", delay=1)
    cases = {
        "sgd": Case(sgd(), law),
        "sgd again": Case(sgd(), law, second_stream=True),
        "gclip": Case(sgd(LEVEL), law),
        "adagrad_norm, delay 1": Case(delayed, law),
        "adagrad_norm, delay 1, Gaussian": Case(delayed, Gaussian()),
        "adam_norm, delay 1": Case(norm("adam", delay=1), law),
    }
    found = {name: {name: case} for name, case in cases.items()}
    # The package's default takes the first clipped gradient's norm as b₀.
    found["clip_adagrad_norm, delay 1"] = {
        f"clip_adagrad_norm, delay 1, b₀ = {word}": Case(
            norm("adagrad", LEVEL, delay=1, initial_accumulator=start),
            law,
            runs=MILLION // 2,
        )
        for word, start in (("1", 1.0), ("first", None))
    }
    return found


def _delay() -> Arms:
    methods = {
        "adagrad_norm": ("adagrad", None),
        "clip_adagrad_norm": ("adagrad", LEVEL),
        "clip_adam_norm": ("adam", LEVEL),
    }
    found = {}
    for name, (base, level) in methods.items():
        # With a small b₀ the first steps are long, as many as the delay.
        starts = (1.0, 0.01) if name == "clip_adagrad_norm" else (1.0,)
        found[f"{name} over delays"] = {
            f"{name}, {f'b₀ = {start}, ' * (start < 1)}delay = {delay}": Case(
                norm(base, level, delay=delay, initial_accumulator=start),
                Pareto(ALPHA),
                runs=MILLION // len(DELAYS) // len(starts),
                learning_rate=None if start == 1 else 0.125,
            )
            for start, delay in itertools.product(starts, DELAYS)
        }
    return found


def _thresholds() -> Arms:
    powers = {"1/(2α)": 1 / (2 * ALPHA), "1/α": 1 / ALPHA}
    laws = {"skewed": SkewedPareto(ALPHA), "symmetric": Pareto(ALPHA)}
    found = {}
    for (word, power), (kind, law) in itertools.product(
        powers.items(), laws.items()
    ):
        name = f"k^({word}), {kind}"
        threshold = PolynomialThreshold(1.0, power)
        found[name] = {
            name: theorems.strongly_convex(law, threshold, steps=10_000)
        }
    kinds = {
        "constant": float,
        "adaptive": AdaptiveThreshold,
        **{
            f"k^({word})": lambda scale, power=power: PolynomialThreshold(
                scale, power
            )
            for word, power in powers.items()
        },
    }
    for name, make in kinds.items():
        thresholds = {f"{scale:g}": make(scale) for scale in SCALES}
        if name == "constant":
            thresholds["none"] = None
        found[f"{name} over scales"] = {
            f"{name}, scale = {scale}": Case(
                sgd(threshold),
                laws["skewed"],
                runs=MILLION // len(thresholds),
                tuned_for=0.99,
            )
            for scale, threshold in thresholds.items()
        }
    return found


def _table() -> Arms:
    """Returns the arms of all methods side by side, in ten dimensions."""
    # The second is 1 − 1/K, too.
    memories = (0.9, memory_of(1_000))
    clipped = {"": None, "clipped ": 1.0}
    typical = "sgd, best for the median"
    found = {
        "sgd in 10": {
            **{f"{word}sgd": sgd(level) for word, level in clipped.items()},
            typical: sgd(),
        },
        "cclip in 10": {"cclip": settings("cclip", clip_threshold=1.0)},
        "adagrad_norm in 10": {
            f"{word}adagrad_norm, β₁ = {beta_1:g}": norm(
                "adagrad", level, beta_1=beta_1
            )
            for (word, level), beta_1 in itertools.product(
                clipped.items(), (0.0, 0.9)
            )
        },
        **{
            f"{word}adam_norm in 10": {
                f"{word}adam_norm, β₂ = {beta_2:g}{correction}": norm(
                    "adam",
                    level,
                    beta_2=beta_2,
                    bias_correction=bool(correction),
                )
                for beta_2, correction in itertools.product(
                    memories, ("", ", corrected")
                )
            }
            for word, level in clipped.items()
        },
        **{
            f"{name} in 10": {
                f"{word}{name}, delay = {delay}": settings(
                    f"clip_{name}",
                    clip_threshold=level,
                    delay=delay,
                    initial_accumulator_value=1e-5 if delay else None,
                )
                for (word, level), delay in itertools.product(
                    clipped.items(), (0, 1)
                )
            }
            for name in ("adam", "adagrad")
        },
        "acclip in 10": {
            f"acclip, {scaling}": settings(
                "acclip", step_scaling=scaling, weight_decay=0.0
            )
            for scaling in ("rms", "threshold", None)
        },
    }
    return {
        arm: {
            name: Case(
                method,
                Stable(ALPHA),
                runs=MILLION // DIMENSION // len(methods),
                problem=Quadratic(DIMENSION),
                tuned_for=0.5 if name == typical else 0.99,
            )
            for name, method in methods.items()
        }
        for arm, methods in found.items()
    }
