"""Plots of the results of a benchmark."""

from collections.abc import Mapping
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from matplotlib.ticker import ScalarFormatter

from benchmarks.contestants import CONTESTANTS
from benchmarks.modes import MODES
from command_line import files

# Okabe and Ito's colours, which colour-blind people tell apart; the markers
# tell in grey too.
_STYLES = (
    ("#0072B2", "o"),
    ("#D55E00", "s"),
    ("#009E73", "^"),
    ("#CC79A7", "D"),
    ("#E69F00", "v"),
    ("#56B4E9", "P"),
    ("#000000", "X"),
    ("#999999", "h"),
    ("#F0E442", "<"),
    ("#0072B2", ">"),
    ("#D55E00", "p"),
)
_STYLE_OF_MODE = dict(zip(MODES, _STYLES, strict=True))
_TICKS = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_SCALING = {
    "parameters": "parameters",
    "variables": "variables of 10,000 parameters",
}


def draw(results: Sequence[Mapping], folder: Path) -> list[str]:
    """Draws a plot of ratios for all shapes, and one of scaling.

    Args:
        results: `"results"` of `summary.merged`.
        folder: Where to write PNG files.

    Returns:
        Names of the files.
    """
    figures = {}
    by_shapes = {}
    for result in results:
        by_shapes.setdefault(result["shapes"], []).append(result)
    for name, same in by_shapes.items():
        if name.partition(":")[0] not in _SCALING:
            figures[f"ratios-{name}.png"] = ratios(name, same)
    for mode in MODES:
        same = [r for r in results if r["mode"] == mode]
        if any(":" in r["shapes"] for r in same):
            figures[f"scaling-{mode}.png"] = scaling(mode, same)
    for name, figure in figures.items():
        with files.whole(str(folder / name)) as partial:
            figure.savefig(partial, format="png", dpi=150)
    return list(figures)


def ratios(shapes: str, results: Sequence[Mapping]) -> Figure:
    """Returns a plot of the ratio of every optimizer to Adam in every mode.

    Args:
        shapes: Name of the shapes.
        results: The results on these shapes.
    """
    compared = [(result, _to_adam(result)) for result in results]
    names = [n for n in CONTESTANTS if any(n in found for _, found in compared)]
    figure = Figure(figsize=(9, 1.6 + 0.36 * len(names)), layout="constrained")
    axes = figure.subplots()
    axes.axvline(1, color="0.4", linewidth=1)
    for number, (result, found) in enumerate(compared):
        colour, marker = _STYLE_OF_MODE[result["mode"]]
        # Modes of one optimizer lie side by side.
        offset = (number + 0.5) / len(results) - 0.5
        points = [
            (place + 0.7 * offset, found[name])
            for place, name in enumerate(names)
            if name in found
        ]
        axes.errorbar(
            [median for _, (_, median, _) in points],
            [place for place, _ in points],
            xerr=_errors([values for _, values in points]),
            color=colour,
            marker=marker,
            markersize=5,
            linestyle="none",
            label=MODES[result["mode"]].title,
        )
    axes.set_yticks(range(len(names)), [_label(name) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    for place in range(1, len(names), 2):
        axes.axhspan(place - 0.5, place + 0.5, color="0.95", zorder=0)
    axes.set_xscale("log")
    _plain_numbers(axes)
    axes.grid(axis="x", color="0.85")
    axes.set_axisbelow(True)
    axes.set_xlabel("time / time of Adam in the same round, with quartiles")
    axes.set_title(f"One step, {shapes}")
    figure.legend(loc="outside lower center", ncols=3, frameon=False)
    return figure


def scaling(mode: str, results: Sequence[Mapping]) -> Figure:
    """Returns a plot of time against parameters and number of variables.

    Args:
        mode: The mode.
        results: The results of that mode.
    """
    results = sorted(results, key=lambda result: result["parameters"])
    kinds = {
        kind: [r for r in results if r["shapes"].startswith(f"{kind}:")]
        for kind in _SCALING
    }
    kinds = {kind: same for kind, same in kinds.items() if same}
    sized = [result for same in kinds.values() for result in same]
    names = [n for n in CONTESTANTS if any(n in r["optimizers"] for r in sized)]
    figure = Figure(figsize=(9, 4.2), layout="constrained")
    panels = figure.subplots(1, len(kinds), squeeze=False)[0]
    handles = {}
    for axes, (kind, same) in zip(panels, kinds.items(), strict=True):
        for number, name in enumerate(names):
            again, style = divmod(number, len(_STYLES))
            colour, marker = _STYLES[style]
            own = [result for result in same if name in result["optimizers"]]
            times = [
                result["optimizers"][name]["milliseconds"] for result in own
            ]
            handles[_label(name)] = axes.errorbar(
                [r[kind] for r in own],
                [median for _, median, _ in times],
                yerr=_errors(times),
                color=colour,
                marker=marker,
                markersize=5,
                linestyle=("-", "--", ":", "-.")[again],
            )
        axes.set(xscale="log", yscale="log", ylabel="ms a step")
        axes.set_xlabel(_SCALING[kind])
        axes.grid(color="0.85")
    figure.suptitle(f"Cost of a step, {MODES[mode].title}")
    figure.legend(
        handles.values(),
        handles,
        loc="outside lower center",
        ncols=2,
        frameon=False,
    )
    return figure


def _errors(times: Sequence[Sequence[float]]) -> list[list[float]]:
    """Returns how far the quartiles are below and above the medians."""
    return [
        [median - low for low, median, _ in times],
        [high - median for _, median, high in times],
    ]


def _to_adam(result: Mapping) -> dict[str, list[float]]:
    """Returns the quartiles of the ratios to Adam by name."""
    adam = MODES[result["mode"]].references[0]
    return {
        name: row["ratios"][adam]
        for name, row in result["optimizers"].items()
        if adam in row["ratios"]
    }


def _label(name: str) -> str:
    """Returns the title of a contestant without Markdown."""
    return CONTESTANTS[name].title.replace("`", "")


def _plain_numbers(axes: Axes) -> None:
    """Labels a logarithmic axis with numbers such as 0.2."""
    low, high = axes.get_xlim()
    axes.set_xticks([tick for tick in _TICKS if low <= tick <= high])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(ScalarFormatter())
