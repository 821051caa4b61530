r"""Shows what clipping does to the tail of the error, in the case you describe.

Runs an optimizer on a noisy quadratic with clipping and without, many times,
and prints and draws the quantiles of the error. Example, under a minute:

    python scripts/experiments/high_probability/own_case.py --tail_index 1.6 \
        --learning_rate 0.1 --clip_threshold 1

`python -m keras_clip.noise` estimates the tail index of a model's noise.
"""

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import command_line  # noqa: E402
from command_line.files import check_output  # noqa: E402
from command_line.progress import say  # noqa: E402

OPTIMIZERS = (
    "gclip",
    "cclip",
    "clip_adam",
    "clip_adagrad",
    "clip_adam_norm",
    "clip_adagrad_norm",
)
LAWS = ("pareto", "skewed", "stable", "student", "gaussian")
# Probabilities of the quantiles, as far as a hundred runs lie beyond.
DELTAS = (0.5, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0001)

MOST_NUMBERS = 20_000_000


def run(arguments: argparse.Namespace) -> dict:
    """Makes the runs and draws their quantiles.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict with the probabilities and the quantiles with clipping and without.
    """
    check_output("output_file", arguments.output_file)
    if not 1 < arguments.tail_index <= 2:
        raise command_line.InputError(
            "`tail_index` must be above 1 and at most 2. "
            f"Received: tail_index={arguments.tail_index:g}"
        )
    if not arguments.output_file.endswith(".png"):
        raise command_line.InputError(
            "`output_file` must end in .png. "
            f"Received: output_file={arguments.output_file}"
        )
    if arguments.runs * arguments.dimension > MOST_NUMBERS:
        raise command_line.InputError(
            f"`runs` times `dimension` must be at most {MOST_NUMBERS:,}. "
            f"Received: runs={arguments.runs}, dimension={arguments.dimension}"
        )
    with command_line.installed('".[jax,noise]"'):
        from experiments import drawing
        from experiments.high_probability import curves
        from experiments.high_probability import noise_laws
        from experiments.high_probability.case import settings
        from experiments.high_probability.problems import Quadratic
        from experiments.high_probability.samples import Samples
        from experiments.high_probability.simulator import Simulation
        from experiments.high_probability.simulator import errors
    law = {
        "pareto": noise_laws.Pareto,
        "skewed": noise_laws.SkewedPareto,
        "stable": noise_laws.Stable,
        "student": noise_laws.StudentT,
        "gaussian": noise_laws.Gaussian,
    }[arguments.noise](arguments.tail_index)
    deltas = [d for d in DELTAS if d * arguments.runs >= 100] or [0.5]
    found = {"delta": deltas}
    for name, threshold in (
        ("unclipped", None),
        ("clipped", arguments.clip_threshold),
    ):
        say(f"{name}: {arguments.runs:,} runs of {arguments.steps:,} steps")
        simulation = Simulation(
            settings(arguments.optimizer, clip_threshold=threshold),
            Quadratic(arguments.dimension, arguments.distance),
            law,
            (arguments.steps,),
            arguments.runs,
            arguments.learning_rate,
        )
        samples = Samples(
            errors(
                simulation,
                report=lambda line, name=name: say(f"{name}: {line}"),
            ),
            simulation.checkpoints,
        )
        rows = samples.quantiles(deltas)
        found[name] = [float(f"{value:.4g}") for value in rows[0]]
    say("probability  error exceeded without clipping  with clipping")
    for row in zip(deltas, found["unclipped"], found["clipped"], strict=True):
        say("{:11g}  {:31.4g}  {:13.4g}".format(*row))
    with drawing.style():
        figure = curves.own_case(found, arguments)
    drawing.save(figure, Path(arguments.output_file))
    return {**found, "figure": arguments.output_file}


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    add = result.add_argument
    number, integer = command_line.number, command_line.integer
    add(
        "--tail_index",
        type=number(0, 10),
        required=True,
        help="tail index of the noise, above 1 and at most 2; Gaussian noise "
        "ignores it",
    )
    add(
        "--learning_rate",
        type=number(1e-12, 1e6),
        required=True,
        help="learning rate, the same with clipping and without",
    )
    add(
        "--clip_threshold",
        type=number(1e-12, 1e12),
        required=True,
        help="threshold, where the noise has scale 1",
    )
    add(
        "--optimizer",
        choices=OPTIMIZERS,
        default="gclip",
        help="optimizer; gclip without clipping is SGD",
    )
    add("--noise", choices=LAWS, default="pareto", help="law of the noise")
    add(
        "--steps",
        type=integer(1, 1_000_000),
        default=1_000,
        help="number of steps of a run",
    )
    add(
        "--runs",
        type=integer(200, 10_000_000),
        default=200_000,
        help="number of runs; quantiles are shown as far as a hundred lie "
        "beyond",
    )
    add(
        "--dimension",
        type=integer(1, 4_000),
        default=1,
        help="number of parameters",
    )
    add(
        "--distance",
        type=number(0, 1e12),
        default=2.0,
        help="distance of the start from the minimum",
    )
    add(
        "--output_file",
        default="own_case.png",
        metavar="FILE",
        help="figure to write",
    )
    return result


if __name__ == "__main__":
    os.environ["KERAS_BACKEND"] = "jax"
    command_line.main(parser(), run)
