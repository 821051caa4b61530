"""Draws the figures of the papers' theorems from the logs."""

import math

from matplotlib.figure import Figure

from experiments import drawing
from experiments.high_probability import curves


def theorems(arms: curves.Arms) -> Figure:
    """Draws the rates of the theorems beside those of the lower bounds."""
    figure, (left, middle, right) = drawing.panels(3)
    for name, exponent, colour in (
        ("theorem 4, α = 1.2", -1 / 3, drawing.ORANGE),
        ("theorem 4, α = 1.8", -8 / 9, drawing.BLUE),
    ):
        case = arms["theorem 4"][name]
        alpha = name.split(", ")[1]
        left.loglog(
            case["checkpoints"], case["means"], color=colour, label=alpha
        )
        curves.guide(left, (1e3, 1e4), 1.3 * case["means"][-1], exponent)
    left.set_title("Theorem 4: mean of f", loc="left")
    curves.draw_growth(
        middle,
        arms["theorem 2"],
        (
            ("theorem 2, α = 1.8, K = ", "α = 1.8", drawing.ORANGE, -8 / 17),
            ("theorem 2, α = 1.5, K = ", "α = 1.5", drawing.BLUE, -0.4),
        ),
    )
    middle.set_title("Theorem 2: mean of min(‖∇f‖, ‖∇f‖²)", loc="left")
    lines = {
        **arms["gclip on flat lines"],
        **arms["clip_adagrad_norm on flat lines"],
    }
    curves.draw_growth(
        right,
        lines,
        (
            (
                "gclip on a flat line, height, K = ",
                "clipped SGD",
                drawing.ORANGE,
                -1 / 6,
            ),
            (
                "clip_adagrad_norm on a flat line, height, K = ",
                "Clip-AdaGrad-Norm",
                drawing.BLUE,
                None,
            ),
        ),
    )
    right.set_title("Flat lines, α = 1.2: mean of f", loc="left")
    for axes in (left, middle, right):
        axes.set_xlabel("steps K")
        axes.legend()
    return figure


def spike(arms: curves.Arms) -> Figure:
    """Draws the chance of a large error after a spike in the first step."""
    figure, panels = drawing.panels(2)
    colours = {
        "0.1": drawing.SKY,
        "0.03": drawing.GREEN,
        "0.01": drawing.ORANGE,
        "0.001": drawing.PURPLE,
    }
    for axes, late in zip(panels, (0, 1), strict=True):
        for name, case in arms["adagrad_norm after a spike"].items():
            if f"delay = {late}" not in name:
                continue
            delta = name.split("δ = ")[1]
            clipped = name.startswith("clip")
            axes.loglog(
                case["checkpoints"],
                [chance or math.nan for chance in case["chances"]],
                color=colours[delta],
                linestyle=":" if clipped else "-",
                marker="o" if clipped else None,
                label=None if clipped else f"δ = {delta}",
            )
        axes.plot([], [], ":o", color=drawing.BLACK, label="clipped, later 0")
        drawing.label(axes, "steps K", "P(f > 0.2)")
        axes.set_title(f"AdaGrad-Norm, delay {late}", loc="left")
        axes.legend()
    return figure


def dimensions(arms: curves.Arms) -> Figure:
    """Draws how the error grows with the dimension."""
    figure, panels = drawing.panels(2)
    for axes, kind, exponents in zip(
        panels, ("equal", "unequal"), ((4 / 3, 1.0), (None, None)), strict=True
    ):
        rows = [
            (f"{arm}, {kind}, d = ", word, colour, exponent)
            for arm, word, colour, exponent in (
                ("gclip", "clipping by norm", drawing.ORANGE, exponents[0]),
                ("cclip", "by coordinate", drawing.BLUE, exponents[1]),
            )
        ]
        cases = {
            **arms["gclip over dimensions"],
            **arms["cclip over dimensions"],
        }
        curves.draw_growth(axes, cases, rows)
        drawing.label(axes, "dimension d", "mean of f, averaged iterate")
        axes.set_title(f"{kind} scales", loc="left")
        axes.legend()
    return figure
