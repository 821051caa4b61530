"""Draws figures in one style, in colours that all can tell apart."""

import contextlib
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# The palette of Okabe and Ito.
BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#009E73"
ORANGE, SKY, PURPLE, BLACK = "#E69F00", "#56B4E9", "#CC79A7", "#000000"
UNCLIPPED, CLIPPED = VERMILION, BLUE
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

STYLE = {
    "font.size": 12,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "lines.linewidth": 2.0,
    "lines.markersize": 5.0,
    "legend.frameon": False,
    "legend.fontsize": 11,
}


def style() -> contextlib.AbstractContextManager:
    """Returns the context in which figures are drawn and saved."""
    return matplotlib.rc_context(STYLE)


def save(figure: Figure, path: Path) -> None:
    """Writes a figure as PNG, without the time and the versions.

    Args:
        figure: The figure.
        path: The file.
    """
    figure.savefig(path, dpi=110, metadata={"Software": None})


def panels(
    count: int, width: float | None = None, height: float = 4.2
) -> tuple[Figure, list[Axes]]:
    """Returns a figure and its axes side by side.

    Args:
        count: Number of axes.
        width: Width in inches. Defaults to 5.2 for each.
        height: Height in inches. Defaults to 4.2.
    """
    size = (width or 5.2 * count + 0.6, height)
    figure = Figure(size, layout="constrained")
    return figure, [
        figure.add_subplot(1, count, place + 1) for place in range(count)
    ]


def label(axes: Axes, x: str, y: str) -> None:
    """Labels both axes."""
    axes.set_xlabel(x)
    axes.set_ylabel(y)
