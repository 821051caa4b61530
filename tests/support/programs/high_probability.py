"""Runs the high-probability lab small, on JAX, and returns what it finds.

The same runs in NumPy take the random bits of JAX, and no more: noise, step and
error are written again, by the oracles.
"""

import dataclasses
import math
import sys
from pathlib import Path

import jax
import numpy as np

sys.path.insert(0, str(Path(__file__).parents[3] / "scripts"))

from command_line import InputError  # noqa: E402
from experiments.high_probability import arms  # noqa: E402
from experiments.high_probability import case  # noqa: E402
from experiments.high_probability import draw  # noqa: E402
from experiments.high_probability import lab  # noqa: E402
from experiments.high_probability import noise_laws  # noqa: E402
from experiments.high_probability import problems  # noqa: E402
from experiments.high_probability import rmsprop  # noqa: E402
from experiments.high_probability import run  # noqa: E402
from experiments.high_probability import simulator  # noqa: E402
from experiments.high_probability import tuning  # noqa: E402
from keras_clip import thresholds  # noqa: E402
from tests.support.enrolment import ENROLMENTS  # noqa: E402

CHECKPOINTS = (1, 7, 40)
RUNS = 5

polynomial = thresholds.PolynomialThreshold

# Optimizer, arguments, problem, law, decay and error.
SIMULATIONS = {
    "sgd": (
        ("gclip", {"clip_threshold": None}),
        problems.Quadratic(),
        noise_laws.Pareto(1.5),
    ),
    "projected, averaged": (
        (
            "gclip",
            {"clip_threshold": polynomial(1.0, 0.6), "projection_radius": 1.0},
        ),
        problems.Quadratic(3),
        noise_laws.SkewedPareto(1.2),
        "harmonic",
        "average",
    ),
    "cclip": (
        ("cclip", {"clip_threshold": 0.7}),
        problems.Huber(3, slope=0.5),
        noise_laws.StudentT(1.5),
    ),
    "adagrad_norm": (
        (
            "clip_adagrad_norm",
            {
                "clip_threshold": 0.5,
                "delay": 2,
                "initial_accumulator": 1.0,
                "beta_1": 0.9,
            },
        ),
        problems.DoubleWell(2),
        noise_laws.Stable(1.7),
        "constant",
        "gradient",
    ),
    "adam_norm": (
        (
            "clip_adam_norm",
            {
                "clip_threshold": None,
                "initial_accumulator": 1.0,
                "bias_correction": True,
            },
        ),
        problems.Quadratic(2),
        noise_laws.Unequal(law=noise_laws.Gaussian()),
    ),
    "adam": (
        ("clip_adam", {"clip_threshold": 1.0}),
        problems.Quadratic(2),
        noise_laws.Pareto(1.1),
    ),
    "adagrad": (
        ("clip_adagrad", {"clip_threshold": None}),
        problems.Quadratic(2),
        noise_laws.Pareto(1.9),
    ),
    "acclip": (
        ("acclip", {"step_scaling": "threshold", "weight_decay": 0.0}),
        problems.Quadratic(2),
        noise_laws.StudentT(1.3),
    ),
    "spike": (
        ("clip_adagrad_norm", {"clip_threshold": None}),
        problems.Huber(distance=4.0),
        noise_laws.Spike(1.5, probability=0.5),
    ),
}


def made(name):
    """Returns the simulation of a name."""
    (optimizer, arguments), problem, law, *rest = SIMULATIONS[name]
    settings = case.settings(optimizer, **arguments)
    return simulator.Simulation(
        settings, problem, law, CHECKPOINTS, RUNS, 0.2, *rest
    )


def in_numpy(name):
    """Returns the errors that NumPy finds for the same random bits."""
    (optimizer, arguments), problem, law, *rest = SIMULATIONS[name]
    decay, error = rest or ("constant", "height")
    enrolment = ENROLMENTS[optimizer]
    shape = (made(name).chunk, problem.dimension)
    each = np.full(shape[1], problem.distance / math.sqrt(shape[1]))
    oracles = [enrolment.oracle([each], **arguments) for _ in range(RUNS)]
    key = jax.random.fold_in(jax.random.key(0), 0)
    xs = [each] * RUNS
    sums = [0.0] * RUNS
    found = []
    for k in range(1, max(CHECKPOINTS) + 1):
        noise = _noise(law, jax.random.fold_in(key, k), k, shape)
        rate = 0.2 / (k + 1) if decay == "harmonic" else 0.2
        for place, oracle in enumerate(oracles):
            x = xs[place]
            gradient = _gradient(problem, x)
            if error == "average":
                sums[place] = sums[place] + k * x
            if error == "gradient":
                length = math.sqrt(np.sum(gradient**2))
                sums[place] += min(length, length**2)
            (xs[place],) = oracle.step([gradient + noise[place]], rate)
        if k in CHECKPOINTS:
            found.append(
                [
                    _error(problem, error, x, watched, k)
                    for x, watched in zip(xs, sums, strict=True)
                ]
            )
    return np.array(found)


def _error(problem, error, x, watched, k):
    if error == "gradient":
        return watched / k
    if error == "average":
        x = watched / (k * (k + 1) / 2)
    return _height(problem, x)


def _noise(law, key, k, shape):
    name = type(law).__name__
    alpha = law.tail_index
    if name == "Unequal":
        return _noise(law.law, key, k, shape) / np.arange(1, shape[1] + 1)
    if name in ("Stable", "StudentT", "Gaussian"):
        one, two = (_uniform(each, shape) for each in jax.random.split(key))
        if name == "Gaussian":
            return np.sqrt(-2 * np.log(one)) * np.cos(2 * np.pi * two)
        if name == "StudentT":
            radius = np.sqrt(alpha * (one ** (-2 / alpha) - 1))
            return radius * np.cos(2 * np.pi * two)
        angle, w = np.pi * (one - 0.5), -np.log(two)
        left = np.sin(alpha * angle) / np.cos(angle) ** (1 / alpha)
        return left * (np.cos((1 - alpha) * angle) / w) ** ((1 - alpha) / alpha)
    u = _uniform(key, shape)
    sign = np.where(_bits(key, shape) % 2, 1.0, -1.0)
    if name == "Spike":
        size = law.probability ** (-1 / alpha)
        return (k == 1) * (u <= law.probability) * sign * size
    if name == "SkewedPareto":
        return u ** (-1 / alpha) - alpha / (alpha - 1)
    return sign * (u ** (-1 / alpha) - 1)


def _bits(key, shape):
    return np.asarray(jax.random.bits(key, shape, "uint64"))


def _uniform(key, shape):
    return (_bits(key, shape) // 2**11 + 1) / 2.0**53


def _gradient(problem, x):
    match type(problem).__name__:
        case "Quadratic":
            return x
        case "Huber":
            return x * min(1.0, problem.slope / math.sqrt(np.sum(x**2)))
        case "DoubleWell":
            return x - np.sin(2 * x)


def _height(problem, x):
    match type(problem).__name__:
        case "Quadratic":
            return np.sum(x**2) / 2
        case "Huber":
            r, slope = math.sqrt(np.sum(x**2)), problem.slope
            return r**2 / 2 if r <= slope else slope * (r - slope / 2)
        case "DoubleWell":
            well = np.linspace(0.9, 1.0, 1_000_001)
            lowest = np.min(well**2 / 2 + np.cos(2 * well) / 2)
            return np.sum(x**2 / 2 + np.cos(2 * x) / 2 - lowest)


def main(what, *arguments):
    """Returns what one of the functions below returns."""
    return {"runs": runs, "tail": tail, "smoke": smoke}[what](*arguments)


def runs(folder):
    """Returns errors, the same in NumPy, and what arms there are."""
    # Which takes half of the time.
    jax.config.update("jax_disable_most_optimizations", True)
    folder = Path(folder)
    rmsprop.RUNS = 500
    return {
        "errors": {
            name: (simulator.errors(made(name)), in_numpy(name))
            for name in SIMULATIONS
        },
        "arms": {
            arm: {
                name: (c.runs, c.problem.dimension, c.steps)
                for name, c in cases.items()
            }
            for arm, cases in arms.arms().items()
        },
        "rmsprop": [rmsprop.extremes(beta_2) for beta_2 in (0.9, 0.999)],
        "blocks": _blocks(folder / "blocks"),
    }


def _blocks(folder):
    """Returns the errors of runs in one piece, in blocks, and resumed.

    And what is said of their progress, and of a block that is damaged.
    """
    simulation = dataclasses.replace(made("sgd"), runs=50)
    before = simulator.CHUNK, simulator.BLOCK, simulator.INTERVAL
    simulator.CHUNK, simulator.BLOCK, simulator.INTERVAL = 8, 16, -1.0
    lines = []
    try:
        whole = simulator.errors(simulation)
        in_blocks = simulator.errors(simulation, folder, lines.append)
        (folder / "block-1.npy").unlink()
        resumed = simulator.errors(simulation, folder)
        (folder / "block-1.npy").write_bytes(b"half")
        try:
            simulator.errors(simulation, folder)
        except InputError as error:
            lines.append(str(error))
    finally:
        simulator.CHUNK, simulator.BLOCK, simulator.INTERVAL = before
    return whole, in_blocks, resumed, lines


def tail(alpha, draws):
    """Returns how often noise is beyond its quantiles of 1e-8 and 1e-6."""
    law = noise_laws.Pareto(alpha)
    bounds = [chance ** (-1 / alpha) - 1 for chance in (1e-8, 1e-6)]
    shape = (1_000_000,)

    def some(k, counts):
        size = abs(law.draw(jax.random.fold_in(jax.random.key(4), k), k, shape))
        return tuple(
            count + (size > bound).sum()
            for count, bound in zip(counts, bounds, strict=True)
        )

    counts = jax.jit(
        lambda: jax.lax.fori_loop(0, draws // shape[0], some, (0, 0))
    )()
    return [int(count) for count in counts]


def smoke(folder):
    """Decides all claims by a few runs each, and draws the figures.

    All cases of an arm are like its first, so that one program does for all.
    """
    jax.config.update("jax_disable_most_optimizations", True)
    found = {
        arm: {
            name: dataclasses.replace(
                next(iter(cases.values())), steps=c.steps, runs=c.runs
            )
            for name, c in cases.items()
        }
        for arm, cases in arms.arms().items()
    }
    lab.cached_arms = lambda: found
    simulator.CHUNK = 20
    tuning.GRID = tuning.GRID[10:13]
    rmsprop.STEPS = 10
    options = ["--output_dir", folder, "--share", "2e-5", "--processes", "1"]
    verdicts = run.run(run.parser().parse_args(options))
    results = f"{folder}/results-share-2e-05"
    drawn = draw.run(draw.parser().parse_args(["--results_dir", results]))
    return verdicts, drawn["figures"]
