"""Reads the noise that was sampled at points of a finetuning."""

from collections.abc import Mapping
from pathlib import Path

from command_line import InputError
from command_line.files import make_directory
from command_line.files import read_json
from command_line.files import write_json

EXPERIMENTS = ("cola", "rte", "squad")
POINTS = ("before", "middle", "after")
BATCH_SIZES = (1, 8, 16)
_ARGUMENT = "--results"


def path_of(folder: Path, experiment: str, point: str, size: int) -> Path:
    """Returns the file with the samples of a point.

    Args:
        folder: Folder of all results.
        experiment: Name of the experiment.
        point: One of `POINTS`.
        size: Number of examples in a mini-batch.
    """
    return folder / "noise" / f"{experiment}-{point}-{size}.json"


def missing(folder: Path, experiment: str) -> list[tuple[str, int]]:
    """Returns the points and sizes that are not sampled yet.

    Args:
        folder: Folder of all results.
        experiment: Name of the experiment.
    """
    return [
        (point, size)
        for point in POINTS
        for size in BATCH_SIZES
        if not path_of(folder, experiment, point, size).exists()
    ]


def begin(folder: Path, experiment: str, settings: Mapping) -> None:
    """Writes what the samples depend on, or compares it with what is there.

    Args:
        folder: Folder of all results.
        experiment: Name of the experiment.
        settings: What the samples depend on.

    Raises:
        InputError: If there are samples with other settings.
    """
    path = folder / "noise" / f"{experiment}.json"
    make_directory(_ARGUMENT, str(path.parent))
    if not path.exists():
        write_json(str(path), settings)
    elif read_json(_ARGUMENT, str(path)) != settings:
        raise InputError(
            f"`{_ARGUMENT}` must hold noise of the experiments as they are; "
            f"that of {experiment} was sampled with other settings. Take "
            "another folder, or delete it, and the same command samples it "
            f"anew. Received: {_ARGUMENT}={folder}"
        )


def reports(folder: Path) -> dict[str, dict[tuple[str, int], object]]:
    """Returns the reports of all experiments whose points are all sampled.

    Args:
        folder: Folder of all results.

    Returns:
        Dict from the experiment to a dict from point and size to a report.
    """
    from keras_clip import noise

    return {
        experiment: {
            (point, size): noise.report(
                noise.NoiseSamples.load(
                    path_of(folder, experiment, point, size)
                )
            )
            for point in POINTS
            for size in BATCH_SIZES
        }
        for experiment in EXPERIMENTS
        if not missing(folder, experiment)
    }
