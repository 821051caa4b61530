"""Writes what the noise of finetuning was found to be, and draws it."""

from collections.abc import Mapping
from pathlib import Path

from experiments.real_models.noise_points import BATCH_SIZES
from experiments.real_models.noise_points import POINTS
from experiments.real_models.tables import row
from keras_clip import noise

# The size of the mini-batches that are drawn, those of training.
_DRAWN = 16
_COLUMNS = (
    *("noise of", "at", "mini-batch", "loss", "norm of ∇f (error)"),
    *("noise: median, largest", "Hill", "log-moment", "mild ratio"),
    *("extreme ratio", "stable fit", "distance: stable, Gaussian", "verdict"),
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
            lines.append(row(*_cells(experiment, point, size, report)))
    return "\n".join([*lines, ""])


def draw(reports: Mapping[str, Mapping], path: Path) -> None:
    """Draws the histograms of one size of the mini-batches.

    Args:
        reports: As `noise_points.reports` returns them.
        path: The PNG to write.
    """
    assert _DRAWN in BATCH_SIZES
    figure = noise.plot_grid(
        {
            experiment: {point: found[point, _DRAWN] for point in POINTS}
            for experiment, found in reports.items()
        }
    )
    figure.savefig(path)


def _cells(experiment, point, size, report):
    summary = report.summary()
    norms, fit = summary["noise_norm"], report.stable_fit
    ratios = noise.quartile_ratios(report.samples.noise_norms)
    stable = f"α = {fit.alpha:.2f}, m = {fit.dimension:.3g}" if fit else "none"
    distance = f"{fit.distance:.3f}" if fit else "none"
    return (
        f"`{experiment}`",
        point,
        f"{size}",
        f"{summary['loss']:.3f}",
        f"{summary['full_gradient_norm']:.3g} "
        f"({summary['full_gradient_error']:.2g})",
        f"{norms['median']:.3g}, {norms['maximum']:.3g}",
        f"{report.tail_index}",
        f"{report.stable_index}",
        f"{ratios.mild:.3g} [{ratios.mild_low:.3g}, {ratios.mild_high:.3g}]",
        f"{ratios.extreme:.2g}",
        stable,
        f"{distance}, {report.gaussian_fit.distance:.3f}",
        report.verdict,
    )
