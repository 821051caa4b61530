r"""Samples the gradient noise of a BERT of any size during training.

The BERT is that of KerasHub, which runs on any backend of Keras and on
accelerators. Writes the samples at each point as JSON; after an interruption,
the same command resumes after the last point. Example, half an hour on two
cores:

    KERAS_BACKEND=jax python scripts/experiments/noise/kerashub_bert.py \
        --sequences runs/wikipedia.npz --output_dir runs/noise
"""

import argparse
import os
import pathlib
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator

import numpy as np

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1]))

import command_line  # noqa: E402
from experiments.noise.sampling_arguments import add_sampling_arguments  # noqa: E402

TRAINING_BATCH = 16
BATCH_SIZES = (16, 1)


def compiled(arguments: argparse.Namespace, vocab_size: int, length: int):
    """Returns a compiled BERT for the masked-LM loss, without dropout.

    Args:
        arguments: The parsed command line.
        vocab_size: Number of word pieces.
        length: Tokens in a sequence.

    Returns:
        Model.
    """
    import keras
    import keras_hub

    width = arguments.hidden_size
    backbone = keras_hub.models.BertBackbone(
        vocabulary_size=vocab_size,
        num_layers=arguments.num_layers,
        num_heads=width // 64,
        hidden_dim=width,
        intermediate_dim=4 * width,
        dropout=0.0,
        max_sequence_length=length,
    )
    task = keras_hub.models.BertMaskedLM(backbone)
    # The same layers without KerasHub's `fit`, which needs TensorFlow or Grain
    # (keras_hub/src/utils/pipeline_model.py, 0.32.0).
    model = keras.Model(task.input, task.output)
    schedule = keras.optimizers.schedules.PolynomialDecay(
        0.0, arguments.warmup_steps, arguments.learning_rate
    )
    model.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.optimizer.build(model.trainable_variables)
    return model


def sequences(path: str) -> tuple[dict, np.ndarray, int]:
    """Reads the file that `full_sequences.py` has written.

    Args:
        path: An NPZ file.

    Returns:
        Tuple of the model's inputs, its targets and the number of pieces.

    Raises:
        InputError: If there is no such file, or it is damaged.
    """
    if not os.path.isfile(path):
        raise command_line.InputError(
            "`--sequences` must name what full_sequences.py has written. "
            f"Received: --sequences={path}"
        )
    try:
        with np.load(path) as arrays:
            names = "token_ids", "segment_ids", "mask_positions"
            x = {name: arrays[name].astype("int32") for name in names}
            y = arrays["masked_ids"].astype("int32")
            vocab_size = int(arrays["vocab_size"])
    except (
        *(EOFError, KeyError, ValueError),
        *(zipfile.BadZipFile, zlib.error),
    ) as error:
        raise command_line.InputError(
            "`--sequences` must name what full_sequences.py has written: "
            f"{error}. Received: --sequences={path}"
        ) from error
    return {**x, "padding_mask": np.ones_like(x["token_ids"])}, y, vocab_size


def batches(x: dict, y: np.ndarray, seed: int) -> Iterator[tuple]:
    """Yields random mini-batches for training.

    Args:
        x: Dict of arrays.
        y: Array.
        seed: Int, their seed.

    Yields:
        Tuples of inputs and targets.
    """
    rng = np.random.default_rng(seed)
    while True:
        chosen = rng.integers(0, len(y), TRAINING_BATCH)
        yield {name: array[chosen] for name, array in x.items()}, y[chosen]


def run(arguments: argparse.Namespace) -> dict[str, float]:
    """Trains and samples, except for what exists already.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict from point and batch size to the loss there.
    """
    x, y, vocab_size = sequences(arguments.sequences)

    import keras

    from keras_clip import noise

    folder = pathlib.Path(arguments.output_dir)
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    name = (
        f"bert-{arguments.num_layers}x{arguments.hidden_size}-"
        + pathlib.Path(arguments.sequences).stem
    )
    keras.utils.set_random_seed(arguments.seed)
    model = compiled(arguments, vocab_size, x["token_ids"].shape[1])
    step, losses = 0, {}
    for point in arguments.points:
        started = time.monotonic()
        saved = folder / "checkpoints" / f"{name}-{point}.weights.h5"
        if saved.exists():
            model.load_weights(saved)
        elif point > step:
            # The batches of each part do not depend on earlier parts.
            seed = arguments.seed + 2 * point
            steps = point - step
            model.fit(batches(x, y, seed), steps_per_epoch=steps, verbose=0)
            model.save_weights(saved)
        step = point
        trained = time.monotonic()
        for size in BATCH_SIZES:
            file = folder / f"{name}-{point}-{size}.json"
            if file.exists():
                continue
            samples = noise.sample(
                model,
                x,
                y,
                batch_size=size,
                num_samples=arguments.num_samples,
                full_gradient_batches=arguments.full_gradient_batches,
                num_projections=2,
                seed=arguments.seed + 2 * point + 1,
                verbose=0,
            )
            samples.save(file)
            losses[f"{point}-{size}"] = samples.loss
        print(
            f"{name} at step {point}: trained {trained - started:.0f} s, "
            f"sampled {time.monotonic() - trained:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    return losses


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    add = result.add_argument
    add(
        "--sequences",
        required=True,
        metavar="NPZ",
        help="what full_sequences.py has written",
    )
    add("--num_layers", type=command_line.integer(1), default=2, help="of BERT")
    add(
        "--hidden_size",
        type=command_line.integer(64),
        default=128,
        help="of BERT, with a head for each 64",
    )
    add(
        "--learning_rate",
        type=command_line.number(0, 1e6),
        default=1e-3,
        help="Adam's, after warm-up",
    )
    add(
        "--warmup_steps",
        type=command_line.integer(1),
        default=100,
        help="in which the learning rate grows",
    )
    add_sampling_arguments(result)
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
