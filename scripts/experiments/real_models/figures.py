"""Draws what came of an experiment."""

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator
from matplotlib.ticker import NullLocator

from experiments import drawing
from experiments.real_models import measures
from experiments.real_models import search
from experiments.real_models.run_key import RunKey

_COLOURS = (
    *(drawing.VERMILION, drawing.BLUE, drawing.GREEN, drawing.ORANGE),
    *(drawing.SKY, drawing.PURPLE, drawing.BLACK),
)


def write(
    experiment: Mapping, runs: Mapping[RunKey, Mapping], path: Path
) -> None:
    """Draws the final measure, its course and the search, in three panels.

    Args:
        experiment: The experiment.
        runs: Its runs, all of them.
        path: The PNG to write.
    """
    with drawing.style():
        draw = [_draw_final, _draw_course]
        if experiment["searched"]:
            draw.append(_draw_rates)
        figure = Figure((5 * len(draw), 5), layout="constrained")
        for axes, panel in zip(
            figure.subplots(1, len(draw)), draw, strict=True
        ):
            panel(axes, experiment, runs)
        drawing.save(figure, path)


def _looks(experiment):
    """Yields each arm with its colour, line and marker."""
    for number, arm in enumerate(experiment["arms"]):
        yield (
            arm,
            {
                "color": _COLOURS[number % len(_COLOURS)],
                "linestyle": "--" if number >= len(_COLOURS) else "-",
                "marker": drawing.MARKERS[number % len(drawing.MARKERS)],
            },
        )


def _draw_final(axes, experiment, runs):
    """Draws each seed's final measure, a row for each arm."""
    names = list(experiment["arms"])
    for row, (arm, look) in enumerate(_looks(experiment)):
        found = measures.values(
            measures.compared(runs, arm), experiment["measure"]
        )
        found = found[np.isfinite(found)]
        axes.plot(
            *(found, np.full(len(found), row), look["marker"]),
            color=look["color"],
            alpha=0.6,
        )
        if len(found):
            axes.plot(found.mean(), row, "|", color="black", markersize=18)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_title("a dot for each seed, the mean a line", loc="left")
    axes.set_xlabel(f"{experiment['measure']}, held out, at the end")


def _draw_course(axes, experiment, runs):
    """Draws the mean training loss over the steps, with its band."""
    settled = []
    for arm, look in _looks(experiment):
        curves = [
            run["training_loss"]
            for run in measures.compared(runs, arm)
            if not run["diverged"]
        ]
        if not curves:
            continue
        steps = curves[0]["step"]
        losses = np.array([curve["loss"] for curve in curves], "float64")
        line = {k: v for k, v in look.items() if k != "marker"}
        axes.plot(steps, losses.mean(axis=0), label=arm, **line)
        low, high = np.quantile(losses, [0.05, 0.95], axis=0)
        axes.fill_between(steps, low, high, color=look["color"], alpha=0.15)
        # Beyond the start, which all have in common.
        settled += [*low[len(low) // 8 :], *high[len(high) // 8 :]]
    _show(axes, settled)
    axes.set_title("mean, and 5 to 95 % of the seeds", loc="left")
    axes.set_xlabel("step")
    axes.set_ylabel("training loss")
    axes.legend()


def _draw_rates(axes, experiment, runs):
    """Draws the search: the score over the learning rates of each arm."""
    found = search.search(experiment, runs)
    tuned_for = experiment["tuned_for"]
    scores = []
    for arm, look in _looks(experiment):
        # Grids of different units lie on one another, by the arm's middle.
        middle = experiment["arms"][arm]["rate"]
        y = []
        for rate in found.rates[arm]:
            keys = search.tuning_keys(experiment, arm, rate)
            tried = measures.values([runs[key] for key in keys], tuned_for)
            y.append(tried.mean() if np.isfinite(tried).all() else math.nan)
        axes.semilogx(np.array(found.rates[arm]) / middle, y, **look)
        scores += y
    # Of a short axis matplotlib labels so many ticks that they overlap.
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, math.sqrt(10))))
    axes.xaxis.set_major_formatter("{x:.2g}")
    axes.xaxis.set_minor_locator(NullLocator())
    if tuned_for == "loss":
        # The best half, and as much again.
        half = np.nanmedian(scores)
        scores = [min(y, 2 * half - np.nanmin(scores)) for y in scores]
    _show(axes, scores)
    axes.set_title("the search; no mark: far off", loc="left")
    axes.set_xlabel("learning rate, by the middle of the first grid")
    axes.set_ylabel(f"{tuned_for}, data of the search")


def _show(axes, values):
    """Sets the limits of the vertical axis to those of values."""
    values = np.array(values)[np.isfinite(values)]
    if len(values):
        space = 0.05 * (np.ptp(values) or 1.0)
        axes.set_ylim(values.min() - space, values.max() + space)
