r"""Trains small models and samples their gradient noise during training.

This is the first paper's study: BERT on two kinds of text against a ResNet on
images, and BERT with and without attention on text and on Gaussian input.
Writes the samples of each run at each point as JSON; after an interruption, the
same command resumes after the last point. Example, a few hours on two cores:

    python scripts/experiments/noise/study.py --wikipedia data/wikipedia \
        --novels data/novels --images cifar10.zip --output_dir runs/noise
"""

import argparse
import functools
import itertools
import json
import pathlib
import sys
import time

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1]))

import command_line  # noqa: E402
from experiments.noise.sampling_arguments import add_sampling_arguments  # noqa: E402

BATCH_SIZE = 16
# Mini-batches as large as in training, and single sequences.
TEXT_SIZES = (BATCH_SIZE, 1)
RUNS = (
    "bert-wikipedia",
    "resnet-images",
    "bert-novels",
    "no-attention-wikipedia",
    "bert-gaussian",
    "no-attention-gaussian",
)


class Subject:
    """Stores a model, its data and its optimizer.

    Args:
        name: One of `RUNS`.
        arguments: The parsed command line.
    """

    def __init__(self, name: str, arguments: argparse.Namespace):
        import tf_keras

        from experiments.noise import study_data
        from experiments.noise import study_models
        from keras_clip.noise.sampling.batches import ArrayBatches
        from keras_clip.noise.sampling.batches import IteratorBatches
        from keras_clip.noise.sampling.task_gradients import TaskGradients
        from keras_clip.noise.sampling.tf_keras_gradients import (
            TfKerasGradients,
        )

        tf_keras.utils.set_random_seed(arguments.seed)
        if name == "resnet-images":
            self.model = study_models.resnet()
            self.optimizer = tf_keras.optimizers.SGD(0.05, momentum=0.9)
            self.model.compile(
                optimizer=self.optimizer,
                loss=tf_keras.losses.SparseCategoricalCrossentropy(True),
            )
            self.gradients = TfKerasGradients(
                self.model, training=not arguments.inference
            )
            arrays = study_data.images(arguments.images)
            self.batches = functools.partial(ArrayBatches, arrays)
            return
        kind, source = name.rsplit("-", 1)
        directory = (
            arguments.novels if "novels" in name else arguments.wikipedia
        )
        sizes = json.loads(pathlib.Path(directory, "sizes.json").read_text())
        vocab_size, length = sizes["vocab_size"], sizes["max_seq_length"]
        predictions = sizes["max_predictions_per_seq"]
        self.model = study_models.bert(
            vocab_size,
            length,
            attention=kind == "bert",
            gaussian=source == "gaussian",
        )
        self.optimizer = tf_keras.optimizers.Adam(
            tf_keras.optimizers.schedules.PolynomialDecay(0.0, 100, 1e-3)
        )
        task = study_data.text_task(directory, length, predictions)
        self.gradients = TaskGradients(task, self.model)
        if source == "gaussian":
            shape = vocab_size, length, predictions, study_models.HIDDEN_SIZE
            stream = functools.partial(study_data.gaussian, *shape)
        else:
            stream = functools.partial(study_data.text, task)
        self.batches = lambda size, seed: IteratorBatches(stream(size, seed))


def train(subject: Subject, steps: int, seed: int) -> None:
    """Trains for a number of steps.

    Args:
        subject: The model with its data.
        steps: Number of steps.
        seed: Int, the seed of the batches.
    """
    import tensorflow as tf

    batches = subject.batches(BATCH_SIZE, seed).random()
    subject.gradients.build(next(batches))
    variables = subject.model.trainable_variables

    @tf.function(reduce_retracing=True)
    def step(batch):
        _, gradients, _ = subject.gradients([], [], batch)
        subject.optimizer.apply_gradients(
            zip(gradients, variables, strict=True)
        )

    for batch in itertools.islice(batches, steps):
        step(batch)


def measure(
    subject: Subject, size: int, arguments: argparse.Namespace, seed: int
):
    """Returns samples of the noise at the subject's parameters.

    Args:
        subject: The model with its data.
        size: Examples in a mini-batch.
        arguments: The parsed command line.
        seed: Int, the seed of the batches.

    Returns:
        Samples.
    """
    from keras_clip.noise.sampling.passes import sample_gradients
    from keras_clip.noise.sampling.sampling_options import SamplingOptions

    batches = subject.batches(size, seed)
    limit = arguments.full_gradient_batches if batches.endless else None
    options = SamplingOptions(
        num_samples=arguments.num_samples,
        full_gradient_batches=limit,
        num_projections=2,
        training=not arguments.inference,
        seed=seed,
        verbose=0,
    )
    return sample_gradients(subject.gradients, batches, options)


def run(arguments: argparse.Namespace) -> dict:
    """Trains and samples each run, except for what exists already.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict from run to the loss at each point and with each batch size.

    Raises:
        InputError: If `--inference` is given for other runs than it applies to.
    """
    import tensorflow as tf

    if arguments.inference and arguments.only != ["resnet-images"]:
        raise command_line.InputError(
            "`--inference` must come with --only resnet-images: the layers of "
            "the others are the same in training. Received: --only="
            f"{' '.join(arguments.only) or 'all'}"
        )
    folder = pathlib.Path(arguments.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    losses = {}
    for name in arguments.only or RUNS:
        sizes = TEXT_SIZES
        if name == "resnet-images":
            sizes = arguments.images_per_batch
        kind = f"{name}-inference" if arguments.inference else name
        files = {
            (point, size): folder / f"{kind}-{point}-{size}.json"
            for point in arguments.points
            for size in sizes
        }
        if all(file.exists() for file in files.values()):
            continue
        subject = Subject(name, arguments)
        checkpoint = tf.train.Checkpoint(
            model=subject.model, optimizer=subject.optimizer
        )
        step = 0
        for point in arguments.points:
            saved = folder / "checkpoints" / f"{name}-{point}"
            started = time.monotonic()
            if saved.with_suffix(".index").exists():
                checkpoint.read(str(saved)).expect_partial()
            elif arguments.inference:
                raise command_line.InputError(
                    "`--points` must be such that the same command without "
                    f"--inference has come to. Received: --points={point}"
                )
            else:
                # The batches of each part do not depend on earlier parts.
                train(subject, point - step, arguments.seed + 2 * point)
                checkpoint.write(str(saved))
            step = point
            trained = time.monotonic()
            for size in sizes:
                file = files[point, size]
                if file.exists():
                    continue
                seed = arguments.seed + 2 * point + 1
                samples = measure(subject, size, arguments, seed)
                samples.save(file)
                losses.setdefault(name, {})[f"{point}-{size}"] = samples.loss
            print(
                f"{name} at step {point}: trained "
                f"{trained - started:.0f} s, sampled "
                f"{time.monotonic() - trained:.0f} s",
                file=sys.stderr,
                flush=True,
            )
    return losses


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    add = result.add_argument
    for name in ("wikipedia", "novels"):
        add(
            f"--{name}",
            required=True,
            metavar="DIR",
            help="what prepare_pretraining_data.py has written",
        )
    add("--images", required=True, metavar="ZIP", help="train/CLASS/NAME.jpg")
    add(
        "--images_per_batch",
        nargs="+",
        action="extend",
        # A loss over 304 images has as many predictions as one over 16
        # sequences.
        type=command_line.integer(1),
        default=[BATCH_SIZE, 304],
        help="sizes of the mini-batches of images that are sampled",
    )
    add(
        "--inference",
        action="store_true",
        help="sample from the checkpoints of resnet-images with the moving "
        "statistics of batch normalization, which single images need",
    )
    add(
        "--only",
        nargs="+",
        action="extend",
        choices=RUNS,
        default=[],
        help="runs to make",
    )
    add_sampling_arguments(result)
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
