"""Draws the curves of the lab on axes."""

import argparse
import math
from collections.abc import Mapping
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments import drawing

# The cases of an arm by name, as they are logged.
Arms = Mapping[str, Mapping[str, Mapping]]


def own_case(found: Mapping, arguments: argparse.Namespace) -> Figure:
    """Draws the quantiles with clipping and without.

    Args:
        found: Dict with `delta`, `unclipped` and `clipped`.
        arguments: The command line of `own_case.py`.
    """
    figure, (axes,) = drawing.panels(1, width=8.0)
    x = [1 / delta for delta in found["delta"]]
    for word, colour, marker in (
        ("unclipped", drawing.UNCLIPPED, "s"),
        ("clipped", drawing.CLIPPED, "o"),
    ):
        axes.loglog(x, found[word], color=colour, marker=marker, label=word)
    drawing.label(axes, "1/δ", "error exceeded with probability δ")
    tail = f" of tail index {arguments.tail_index:g}"
    if arguments.noise == "gaussian":
        tail = ""
    axes.set_title(
        f"{arguments.optimizer}, rate {arguments.learning_rate:g}, threshold "
        f"{arguments.clip_threshold:g}, after {arguments.steps:,} steps\n"
        f"{arguments.noise} noise{tail}, dimension {arguments.dimension}, "
        f"from distance {arguments.distance:g}",
        loc="left",
        fontsize=11,
    )
    axes.legend()
    return figure


def quantile(case: Mapping, delta: float) -> float:
    """Returns `Q_{1−δ}` of a logged case at its last step."""
    return case["quantiles"][str(delta)]


def draw_chances(axes: Axes, rows: Sequence) -> None:
    """Draws `P(f > ε)` over the steps.

    Args:
        axes: The axes.
        rows: Case, label, colour and style of each line. Several cases in place
            of one are those of several last steps.
    """
    for case, word, colour, style in rows:
        if isinstance(case, list):
            steps = [each["checkpoints"][-1] for each in case]
            chances = [each["chances"][-1] for each in case]
        else:
            steps, chances = case["checkpoints"], case["chances"]
        axes.loglog(
            steps,
            # A logarithm has no zero: no run is that far off there.
            [chance or math.nan for chance in chances],
            color=colour,
            linestyle=style,
            marker="o" if isinstance(case, list) else None,
            label=word,
        )
        if isinstance(case, list):
            zeros = [each for each in case if not each["chances"][-1]]
        else:
            zeros = []
        if zeros:
            axes.plot(
                [each["checkpoints"][-1] for each in zeros],
                [1 / each["runs"] for each in zeros],
                "v",
                color=colour,
                markerfacecolor="none",
                label=f"{word}, in none of the runs",
            )
    drawing.label(axes, "steps K", "P(f > 0.2)")
    axes.legend()


def draw_tail(axes: Axes, arms: Arms, rows: Sequence) -> None:
    """Draws quantiles of the error against 1/δ.

    Args:
        axes: The axes.
        arms: The arms.
        rows: Name of the arm, drawing.label, colour and style of each line.
    """
    for name, word, colour, style in rows:
        case = next(iter(arms[name].values()))
        x = [1 / float(delta) for delta in case["quantiles"]]
        y = list(case["quantiles"].values())
        axes.loglog(x, y, color=colour, linestyle=style, label=word)
    (case,) = arms["sgd"].values()
    height = 2 * quantile(case, 1e-4)
    guide(axes, (1e3, 1e4), height, 4 / 3, "slope 2/α")
    drawing.label(axes, "1/δ", "error exceeded with probability δ")
    axes.legend()


def draw_growth(axes: Axes, cases: Mapping, rows: Sequence) -> None:
    """Draws mean errors of cases that differ in a number.

    Args:
        axes: The axes.
        cases: The cases by name.
        rows: Beginning of the names, which end in the number, label, colour and
            predicted exponent of each line; `None` draws no prediction.
    """
    for beginning, word, colour, exponent in rows:
        means = {
            float(name.removeprefix(beginning)): case["means"][-1]
            for name, case in cases.items()
            if name.startswith(beginning)
        }
        x, y = list(means), list(means.values())
        axes.loglog(x, y, color=colour, marker="o", label=word)
        if exponent is not None:
            guide(axes, (x[1], x[-1]), 1.2 * y[-1], exponent)


def guide(
    axes: Axes,
    ends: tuple[float, float],
    height: float,
    exponent: float,
    word: str | None = None,
) -> None:
    """Draws a line with a predicted exponent.

    Args:
        axes: The axes.
        ends: Where it begins and ends.
        height: Its height at the end.
        exponent: The exponent.
        word: Its label. Defaults to the exponent.
    """
    first, last = ends
    axes.loglog(
        ends,
        [height * (first / last) ** exponent, height],
        color="#888888",
        linestyle="--",
        linewidth=1.2,
        label=word or f"predicted {exponent:.2f}",
    )
