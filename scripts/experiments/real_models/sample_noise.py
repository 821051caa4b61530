r"""Samples the gradient noise before, in the middle of and after finetuning.

Adam trains at the experiment's `noise_rate`. Layers run without dropout while
the noise is sampled: it is that of the data. After an interruption the same
command resumes. Example:

    python scripts/experiments/real_models/sample_noise.py \
        --experiment cola --cola glue/CoLA --encoder minilm
"""

import argparse
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import command_line  # noqa: E402
from command_line.progress import say  # noqa: E402
from experiments.real_models import finished  # noqa: E402
from experiments.real_models import noise_points  # noqa: E402
from experiments.real_models import sources  # noqa: E402
from experiments.real_models.experiments import by_name  # noqa: E402
from experiments.real_models.run_key import RunKey  # noqa: E402

_ARM = "Adam"
_SEED = 1


def run(arguments: argparse.Namespace) -> dict[str, float]:
    """Samples the noise, except for what exists already.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict from point and size of the mini-batches to the loss there.

    Raises:
        InputError: If data are missing, or there are samples with other
            settings.
    """
    experiment = {
        **by_name(arguments.experiment),
        "most_steps": arguments.most_steps,
    }
    name = experiment["name"]
    results = finished.folder_of(arguments)
    paths = dict(sources.checked(arguments, [experiment]))
    rate = experiment["noise_rate"]
    noise_points.begin(
        results,
        name,
        {
            **finished.settings(experiment, _ARM),
            "learning_rate": rate,
            "num_samples": arguments.num_samples,
            "full_gradient_examples": arguments.full_gradient_examples,
        },
    )
    missing = noise_points.missing(results, name)
    if not missing:
        return {}

    from experiments.real_models import training
    from experiments.real_models.tasks import task_of
    from keras_clip import noise

    task = task_of(experiment, paths)
    key = RunKey(name, _ARM, rate, _SEED)
    model, optimizer = training.begin(experiment, key, task)
    found = {}

    def sample(point):
        x, y = task.examples()
        examples = min(arguments.full_gradient_examples, len(y))
        for size in (size for other, size in missing if other == point):
            start = time.monotonic()
            samples = noise.sample(
                model,
                x,
                y,
                batch_size=size,
                num_samples=arguments.num_samples,
                full_gradient_batches=examples // size,
                num_projections=2,
                training=False,
                seed=noise_points.POINTS.index(point),
                verbose=0,
            )
            samples.save(noise_points.path_of(results, name, point, size))
            found[f"{point}-{size}"] = samples.loss
            say(
                f"{name} {point}, {size} in a mini-batch: "
                f"{time.monotonic() - start:.0f} s"
            )

    before, middle, after = noise_points.POINTS
    points = {task.steps // 2: middle, task.steps: after}
    sample(before)
    if {point for point, _ in missing} == {before}:
        return found
    losses = training.losses_of(experiment, key, task, model, optimizer)
    for step, _ in enumerate(losses, start=1):
        if step in points:
            sample(points[step])
    return found


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    add = result.add_argument
    add(
        "--experiment",
        required=True,
        choices=noise_points.EXPERIMENTS,
        help="whose model and data are sampled",
    )
    sources.add_arguments(result)
    add(
        "--results",
        default=str(finished.RESULTS),
        metavar="DIR",
        help="folder of the finished runs, those here by default",
    )
    add(
        "--num_samples",
        # Fewer have no estimates.
        type=command_line.integer(50),
        default=1000,
        help="mini-batches at each point",
    )
    add(
        "--full_gradient_examples",
        type=command_line.integer(16),
        default=4000,
        help="examples that the full gradient is the mean of, all if there are "
        "fewer",
    )
    add(
        "--most_steps",
        type=command_line.integer(1),
        metavar="N",
        help="steps of the training at most, to try it out",
    )
    return result


if __name__ == "__main__":
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    for threads in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(threads, "1")
    command_line.main(parser(), run)
