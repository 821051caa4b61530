"""Simulates many independent runs with the package's own step."""

import dataclasses
import functools
import os
import time
from collections.abc import Callable
from pathlib import Path

import jax
import numpy as np
from jax import numpy as jnp

from command_line import InputError
from experiments.high_probability.noise_laws import Law
from experiments.high_probability.problems import Problem
from keras_clip.step import Settings
from keras_clip.step import start
from keras_clip.step import take

# Numbers that move together: their state stays in a core's cache.
CHUNK = 4_000
# Runs that are saved together, and made again if they are interrupted.
BLOCK = 100_000
# Seconds between two reports of progress.
INTERVAL = 15.0

_LARGEST = float(np.finfo("float32").max)


@dataclasses.dataclass(frozen=True)
class Simulation:
    """Stores all that the errors of many runs depend on.

    Args:
        settings: The settings of the package's step.
        problem: The problem.
        law: The law of the gradient noise.
        checkpoints: Ascending numbers of the steps with an error.
        runs: Number of independent runs.
        learning_rate: Float, times the decay.
        decay: `"constant"`, or `"harmonic"` for `1/(k+1)` at step k.
        error: `"height"` for `f(x_K) − f*`; `"average"` for that of the average
            `Σ k·x_{k−1} / Σ k`; `"gradient"` for the mean over steps of
            `min(‖∇f‖, ‖∇f‖²)` before them.
        stream: Number of the random stream: simulations of one stream meet the
            same noise, run by run, if their shapes are equal.
    """

    settings: Settings
    problem: Problem
    law: Law
    checkpoints: tuple[int, ...]
    runs: int
    learning_rate: float
    decay: str = "constant"
    error: str = "height"
    stream: int = 0

    @property
    def chunk(self) -> int:
        """Returns the number of runs that are simulated at once."""
        return max(1, CHUNK // self.problem.dimension)

    @property
    def chunks(self) -> int:
        """Returns the number of chunks; of the last one a part may be used."""
        return -(-self.runs // self.chunk)


def errors(
    simulation: Simulation,
    folder: Path | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> np.ndarray:
    """Returns the errors of all runs at all checkpoints.

    A run depends on its number, the stream, the dimension and `CHUNK`, so that
    neither blocks nor an interruption change it.

    Args:
        simulation: The simulation.
        folder: Folder of finished blocks of runs, which are not made again.
            Defaults to `None`: nothing is saved.
        report: Callable that prints a line of progress. Defaults to none.

    Returns:
        Float32 array of shape `(len(checkpoints), runs)`.
    """
    each = max(1, BLOCK // simulation.chunk)
    blocks = []
    begin = last = time.monotonic()
    made = 0
    for block, first in enumerate(range(0, simulation.chunks, each)):
        path = folder and folder / f"block-{block}.npy"
        chunks = range(first, min(first + each, simulation.chunks))
        if path and path.exists():
            blocks.append(_loaded(path))
            continue
        parts = []
        for chunk in chunks:
            parts.append(_chunk(simulation, chunk))
            made += 1
            if time.monotonic() - last > INTERVAL:
                last = time.monotonic()
                rest = simulation.chunks - chunk - 1
                seconds = (last - begin) / made * rest
                report(
                    f"{(chunk + 1) / simulation.chunks:.0%} of "
                    f"{simulation.runs:,} runs, {seconds:.0f} s left"
                )
        blocks.append(np.concatenate(parts, 1))
        if path:
            _save(path, blocks[-1])
    return np.concatenate(blocks, 1)[:, : simulation.runs]


def _loaded(path):
    """Returns a saved array."""
    try:
        return np.load(path)
    except (EOFError, OSError, ValueError) as error:
        raise InputError(
            "`output_dir` must hold runs that were saved whole; without this "
            f"file they are made again. Received: {path}"
        ) from error


def _save(path, array):
    """Writes an array whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Another process may make the same block.
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with open(partial, "wb") as file:
        np.save(file, array)
    partial.replace(path)


def _chunk(simulation, chunk):
    """Returns the errors of one chunk, a float32 array."""
    key = jax.random.fold_in(jax.random.key(simulation.stream), chunk)
    run = _compiled(
        simulation.settings,
        simulation.problem,
        simulation.law,
        simulation.decay,
        simulation.error,
        simulation.chunk,
    )
    ends = jnp.asarray(simulation.checkpoints)
    found = run(key, ends, simulation.learning_rate)
    # A run that overflows is as far off as can be.
    found = np.nan_to_num(np.asarray(found), nan=np.inf, posinf=np.inf)
    return np.minimum(found, _LARGEST).astype("float32")


@functools.lru_cache(maxsize=8)
def _compiled(settings, problem, law, decay, error, runs):
    """Returns the compiled simulation of some runs.

    Rate and checkpoints are its arguments, so that other rates and horizons
    need no other program.
    """
    # As one wide array the noise of all runs is drawn at once.
    shape = (runs, problem.dimension)

    def one_step(x, state, g, rate):
        (x,), state = take(settings, [x], state, [g], rate)
        return x, state

    def step(k, carried, key, rate):
        x, state, watched = carried
        gradient = problem.gradient(x)
        watched = _watched(error, watched, x, gradient, k)
        noise = law.draw(jax.random.fold_in(key, k), k, shape)
        if decay == "harmonic":
            rate = rate / (k + 1)
        x, state = jax.vmap(one_step, (0, 0, 0, None))(
            x, state, gradient + noise, rate
        )
        return x, state, watched

    def run(key, ends, rate):
        x = jnp.broadcast_to(problem.start(), shape)
        state = jax.vmap(lambda x: start(settings, [x]))(x)
        watched = jnp.zeros(shape if error == "average" else shape[:1])

        def to_checkpoint(carried, limits):
            first, end = limits
            carried = jax.lax.fori_loop(
                first + 1,
                end + 1,
                lambda k, carried: step(k, carried, key, rate),
                carried,
            )
            x, _, watched = carried
            return carried, _error(error, problem, x, watched, end)

        begins = jnp.concatenate([jnp.zeros(1, ends.dtype), ends[:-1]])
        _, found = jax.lax.scan(
            to_checkpoint, (x, state, watched), (begins, ends)
        )
        return found

    return jax.jit(run)


def _watched(error, watched, x, gradient, k):
    """Returns the sum over steps that the error needs, if any."""
    if error == "average":
        return watched + k * x
    if error == "gradient":
        norm = jnp.sqrt(jnp.sum(jnp.square(gradient), -1))
        return watched + jnp.minimum(norm, jnp.square(norm))
    return watched


def _error(error, problem, x, watched, k):
    """Returns the error of each run after step `k`."""
    if error == "average":
        return problem.height(watched / (k * (k + 1) / 2))
    if error == "gradient":
        return watched / k
    return problem.height(x)
