r"""Trains small Transformers with every optimizer over a grid of rates.

All arguments but the learning rate are the defaults, the rate is constant and
there is no warm-up. Finished runs are not repeated, so that the same command
resumes an interrupted search. Example:

    KERAS_BACKEND=jax python scripts/experiments/learning_rates/try_rates.py \
        --cola glue/CoLA --output_file runs/rates.jsonl
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import command_line  # noqa: E402

# TensorFlow prints messages while it is imported.
command_line.quieten()

import keras  # noqa: E402

import keras_clip  # noqa: E402
from experiments.learning_rates import rate_problems  # noqa: E402
from keras_clip.registry import OPTIMIZERS  # noqa: E402

# Neighbours are a factor of √10 apart.
GRID = [10 ** (power / 2) for power in range(-10, 9)]
# The middle of the grid to begin with, by kind of step.
MIDDLES = {
    "coordinate": 1e-3,
    "fading coordinate": 1e-2,
    "whole": 0.1,
    "fading whole": 1.0,
    "gradient": 1.0,
}

_KEYS = ("problem", "optimizer", "learning_rate", "seed")
# Optimizers that are also tried on the larger models, to see how rates grow.
_ON_LARGE = (
    "Adam()",
    "ACClip()",
    "ClipAdam()",
    "ClipAdamNorm()",
    "ClipAdaGradNorm()",
    "GClip(momentum=0.9)",
)


def arms() -> dict[str, tuple[float, Callable]]:
    """Returns the first middle of the grid and the optimizer, by name."""
    found = {
        "Adam()": (1e-3, keras.optimizers.Adam),
        "SGD(momentum=0.9)": (
            0.1,
            lambda: keras.optimizers.SGD(momentum=0.9),
        ),
    }
    for info in OPTIMIZERS.values():
        found[f"{info.class_name}()"] = (
            MIDDLES[info.step],
            lambda info=info: info.keras_class(monitor=True),
        )
    for name in ("GClip", "CClip"):
        found[f"{name}(momentum=0.9)"] = (
            0.1,
            lambda name=name: getattr(keras_clip, name)(
                momentum=0.9, monitor=True
            ),
        )
    found["CClip(clip_threshold=0.001)"] = (
        10.0,
        lambda: keras_clip.CClip(clip_threshold=1e-3, monitor=True),
    )
    found["ACClip(alpha=2.0)"] = (
        1e-3,
        lambda: keras_clip.ACClip(alpha=2.0, monitor=True),
    )
    return found


class Arm:
    """Trains a model that is compiled once for all learning rates.

    Args:
        problem: The problem.
        make: Callable that returns the optimizer.
    """

    def __init__(self, problem: rate_problems.Problem, make: Callable):
        keras.utils.set_random_seed(0)
        self._problem = problem
        self._model = problem.model()
        self._optimizer = make()
        self._optimizer.build(self._model.trainable_variables)
        self._model.compile(
            self._optimizer,
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        self._start = [v.numpy() for v in self._optimizer.variables]

    def run(self, learning_rate: float, seed: int) -> dict:
        """Returns the results of a training with this learning rate.

        Args:
            learning_rate: Float.
            seed: Int, of the weights and of the order of the data.
        """
        start = time.perf_counter()
        for variable, value in zip(
            self._optimizer.variables, self._start, strict=True
        ):
            variable.assign(value)
        self._optimizer.learning_rate = learning_rate
        keras.utils.set_random_seed(seed)
        self._model.set_weights(self._problem.model().get_weights())
        x, y = self._problem.batches(seed)
        size = self._problem.batch_size
        # The loss is that of the last quarter of all steps.
        last = len(x) // size // 4 * 3 * size
        self._fit(x[:last], y[:last])
        loss = self._fit(x[last:], y[last:]).history["loss"][-1]
        held_out = self._model.evaluate(*self._problem.held_out, verbose=0)
        parameters = self._model.count_params()
        result = {
            "parameters": parameters,
            "loss": loss,
            "held_out_loss": held_out[0],
            "held_out_accuracy": held_out[1],
            "seconds": round(time.perf_counter() - start, 1),
        }
        if hasattr(self._optimizer, "clip_total"):
            updates = max(int(self._optimizer.update_count.numpy()), 1)
            clipped = float(self._optimizer.clip_total.numpy())
            result["clip_fraction"] = clipped / updates
            norm = float(self._optimizer.gradient_norm.numpy())
            result["last_gradient_norm"] = norm
        return result

    def _fit(self, x, y):
        return self._model.fit(
            x,
            y,
            batch_size=self._problem.batch_size,
            shuffle=False,
            verbose=0,
        )


def search(
    middle: float, losses: Callable[[float], float], width: int
) -> list[float]:
    """Returns the rates that are tried, with the best one not at an edge.

    Args:
        middle: The rate in the middle of the first ones.
        losses: Callable from a rate to its loss.
        width: Number of first rates on each side of it.
    """
    middle = min(range(len(GRID)), key=lambda i: abs(GRID[i] - middle))
    low, high = middle - width, middle + width
    while True:
        found = {i: losses(GRID[i]) for i in range(low, high + 1)}
        best = min(found, key=lambda i: _comparable(found[i]))
        if best == low and low > 0:
            low -= 1
        elif best == high and high < len(GRID) - 1:
            high += 1
        else:
            return [GRID[i] for i in found]


def _comparable(loss):
    return loss if math.isfinite(loss) else math.inf


class Trials:
    """Makes the runs of one optimizer on one problem, and writes each of them.

    Args:
        problem: The problem.
        name: Name of the optimizer.
        make: Callable that returns it.
        done: Dict of the finished runs, by the values of `_KEYS`.
        path: File that new runs are appended to.
    """

    def __init__(self, problem, name, make, done, path):
        self._problem, self._name, self._make = problem, name, make
        self._done, self._path = done, path
        self._arm = None

    def run(self, middle: float):
        """Searches with one seed, then repeats the best rate with two more.

        Args:
            middle: The rate in the middle of the first ones.
        """
        rates = search(middle, self.loss, 2)
        best = min(rates, key=lambda rate: _comparable(self.loss(rate)))
        for seed in (1, 2):
            self.loss(best, seed)

    def loss(self, rate: float, seed: int = 0) -> float:
        """Returns the training loss of a run, from the file if it is finished.

        Args:
            rate: Learning rate.
            seed: Int. Defaults to `0`.
        """
        rate = float(f"{rate:.3g}")
        key = (self._problem.name, self._name, rate, seed)
        if key not in self._done:
            if self._arm is None:
                self._arm = Arm(self._problem, self._make)
            entry = dict(zip(_KEYS, key, strict=True)) | self._arm.run(
                rate, seed
            )
            entry["entropy"] = self._problem.entropy
            self._done[key] = entry
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
            print(json.dumps(entry), flush=True)
        return self._done[key]["loss"]


def run(arguments: argparse.Namespace) -> dict[str, int]:
    """Makes all runs that are missing.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict with the number of `runs` in the file.

    Raises:
        InputError: If the data do not exist.
    """
    if arguments.cola and not (arguments.cola / "train.tsv").is_file():
        raise command_line.InputError(
            "`--cola` must be a folder with GLUE's train.tsv and dev.tsv. "
            f"Received: --cola={arguments.cola}"
        )
    arguments.output_file.parent.mkdir(parents=True, exist_ok=True)
    done = {}
    if arguments.output_file.exists():
        for line in arguments.output_file.read_text("utf-8").splitlines():
            entry = json.loads(line)
            done[tuple(entry[k] for k in _KEYS)] = entry
    tried = []
    for width in (64, 256):
        if arguments.cola:
            tried.append(rate_problems.cola(arguments.cola, width))
        tried.append(rate_problems.characters(width))
    for problem in tried:
        for name, (middle, make) in arms().items():
            if problem.width > 64 and name not in _ON_LARGE:
                continue
            label = f"{problem.name}: {name}"
            if arguments.only and not any(o in label for o in arguments.only):
                continue
            Trials(problem, name, make, done, arguments.output_file).run(middle)
    return {"runs": len(done)}


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    add = result.add_argument
    add(
        "--cola",
        type=Path,
        metavar="DIR",
        help="folder with GLUE's train.tsv and dev.tsv",
    )
    add(
        "--output_file",
        type=Path,
        required=True,
        metavar="FILE",
        help="a line of JSON for each run, which new ones are added to",
    )
    add(
        "--only",
        nargs="+",
        action="extend",
        default=[],
        metavar="PART",
        help="parts of the names of problems and optimizers to try",
    )
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
