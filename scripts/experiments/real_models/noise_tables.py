"""Writes what the noise of finetuning was found to be, and draws it."""

from collections.abc import Mapping
from pathlib import Path

from experiments import noise_cells
from experiments.real_models.noise_points import POINTS
from experiments.real_models.tables import row
from keras_clip import noise

# The size of the mini-batches that are drawn, those of training.
_DRAWN = 16
_COLUMNS = (
    *("noise of", "at", "mini-batch", *noise_cells.COLUMNS),
    *("mild ratio", "extreme ratio"),
)


def of_noise(reports: Mapping[str, Mapping]) -> str:
    """Returns the table of all points.

    Args:
        reports: As `noise_points.reports` returns them.
    """
    lines = [
        "## The noise of finetuning",
        "",
        f"Mini-batches at fixed weights: {POINTS[0]}, in the middle of and "
        "after the training by Adam. Ratios are those of the second paper, "
        "of outliers by the quartiles, 1 for a Gaussian law; below an index of "
        "2 there is no variance.",
        "",
        row(*_COLUMNS),
        row(*["---"] * len(_COLUMNS)),
    ]
    for experiment, found in reports.items():
        for (point, size), report in found.items():
            lines.append(
                row(
                    *(f"`{experiment}`", point, f"{size}"),
                    *noise_cells.cells(report),
                    *_ratios(report),
                )
            )
    return "\n".join([*lines, ""])


def draw(reports: Mapping[str, Mapping], path: Path) -> None:
    """Draws the histograms of one size of the mini-batches.

    Args:
        reports: As `noise_points.reports` returns them.
        path: The PNG to write.
    """
    figure = noise.plot_grid(
        {
            experiment: {point: found[point, _DRAWN] for point in POINTS}
            for experiment, found in reports.items()
        }
    )
    figure.savefig(path)


def _ratios(report):
    found = noise.quartile_ratios(report.samples.noise_norms)
    return (
        f"{found.mild:.3g} [{found.mild_low:.3g}, {found.mild_high:.3g}]",
        f"{found.extreme:.2g}",
    )
