"""Provides the data of the study: text, images and Gaussian noise."""

import io
import zipfile
from collections.abc import Iterator

import numpy as np
from official.nlp.configs import encoders
from official.nlp.data import pretrain_dataloader
from official.nlp.tasks import masked_lm
from PIL import Image


def text_task(
    data_dir: str, length: int, predictions: int
) -> masked_lm.MaskedLMTask:
    """Returns Model Garden's masked-LM task on prepared text.

    Args:
        data_dir: Output directory of `prepare_pretraining_data.py`.
        length: Tokens in a sequence.
        predictions: Maximum number of masked tokens in a sequence.

    Returns:
        Task.
    """
    data = pretrain_dataloader.BertPretrainDataConfig(
        input_path=f"{data_dir}/train-*.tfrecord",
        seq_length=length,
        max_predictions_per_seq=predictions,
        use_next_sentence_label=False,
        # Texts of several shards are mixed.
        cycle_length=16,
        shuffle_buffer_size=10000,
    )
    return masked_lm.MaskedLMTask(
        masked_lm.MaskedLMConfig(
            model=masked_lm.bert.PretrainerConfig(
                encoder=encoders.EncoderConfig()
            ),
            train_data=data,
        )
    )


def text(
    task: masked_lm.MaskedLMTask, batch_size: int, seed: int
) -> Iterator[tuple]:
    """Yields batches of text in an order that depends on the seed.

    Args:
        task: The task.
        batch_size: Sequences in a batch.
        seed: Int.

    Yields:
        Tuples of a dict of arrays.
    """
    params = task.task_config.train_data.replace(
        global_batch_size=batch_size, seed=seed
    )
    for batch in task.build_inputs(params):
        yield ({name: np.asarray(value) for name, value in batch.items()},)


def gaussian(
    num_classes: int,
    length: int,
    predictions: int,
    width: int,
    batch_size: int,
    seed: int,
) -> Iterator[tuple]:
    """Yields sequences of Gaussian vectors, with classes to predict.

    Each class has a random direction, the same for each seed. The class of a
    vector is the one whose direction has the largest product with it.

    Args:
        num_classes: Number of classes.
        length: Vectors in a sequence.
        predictions: Vectors in a sequence whose class is predicted.
        width: Coordinates of a vector.
        batch_size: Sequences in a batch.
        seed: Int.

    Yields:
        Tuples of a dict of arrays.
    """
    teacher = np.random.default_rng(0).standard_normal(
        (width, num_classes), "float32"
    )
    rng = np.random.default_rng([seed, 1])
    while True:
        vectors = rng.standard_normal((batch_size, length, width), "float32")
        positions = np.sort(
            rng.permuted(np.tile(np.arange(length), (batch_size, 1)), axis=1)[
                :, :predictions
            ]
        )
        chosen = np.take_along_axis(vectors, positions[..., None], axis=1)
        classes = np.argmax(chosen @ teacher, axis=-1)
        yield (
            {
                "input_word_embeddings": vectors,
                "input_mask": np.ones((batch_size, length), "int32"),
                "masked_lm_positions": positions.astype("int32"),
                "masked_lm_ids": classes.astype("int32"),
                "masked_lm_weights": np.ones(positions.shape, "float32"),
            },
        )


def images(path: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns the training images of a ZIP file and their classes.

    Args:
        path: ZIP file with `train/CLASS/NAME.jpg`.

    Returns:
        Tuple of float32 images, each channel with mean 0 and variance 1, and
        of integers.
    """
    x, y = pixels(path, "train")
    axes = (0, 1, 2)
    return (x - x.mean(axes)) / x.std(axes), y


def pixels(path: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns the images of a part of a ZIP file and their classes.

    Args:
        path: ZIP file with `PART/CLASS/NAME.jpg`.
        part: `"train"` or `"test"`.

    Returns:
        Tuple of float32 images, from 0 to 255, and of integers.
    """
    with zipfile.ZipFile(path) as archive:
        names = sorted(
            name
            for name in archive.namelist()
            if f"{part}/" in name and name.endswith(".jpg")
        )
        x = np.stack(
            [
                np.asarray(Image.open(io.BytesIO(archive.read(name))))
                for name in names
            ]
        ).astype("float32")
    labels = [name.split("/")[-2] for name in names]
    classes = sorted(set(labels))
    return x, np.array([classes.index(label) for label in labels], "int32")
