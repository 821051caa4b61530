"""Draws the figures of the lab from its logs."""

import matplotlib
from matplotlib.figure import Figure

from experiments import drawing
from experiments.high_probability import curves
from experiments.high_probability import theorem_figures


def headline(arms: curves.Arms) -> Figure:
    """Draws the chance of a large error over steps, and the error's tail."""
    figure, (left, right) = drawing.panels(2)
    curves.draw_chances(left, _adagrad_norm(arms))
    left.set_title("AdaGrad-Norm: chance of a large error", loc="left")
    curves.draw_tail(
        right,
        arms,
        (
            ("sgd", "unclipped", drawing.UNCLIPPED, "-"),
            ("gclip", "clipped", drawing.CLIPPED, "-"),
        ),
    )
    right.set_title("SGD: error after 1,000 steps", loc="left")
    return figure


def _adagrad_norm(arms):
    """Returns rows of AdaGrad-Norm, at the rates best after 1,000 steps."""
    return [
        (
            arms[f"{prefix}adagrad_norm over delays"][
                f"{prefix}adagrad_norm, delay = 0"
            ],
            word,
            colour,
            "-",
        )
        for prefix, word, colour in (
            ("", "unclipped", drawing.UNCLIPPED),
            ("clip_", "clipped", drawing.CLIPPED),
        )
    ]


def probability(arms: curves.Arms) -> Figure:
    """Draws `P(f > ε)` against the number of steps."""
    figure, (left, right) = drawing.panels(2)
    late = [
        (arms[name][name], f"{word}, rate for 10⁴ steps", colour, "--")
        for name, word, colour in (
            ("adagrad_norm", "unclipped", drawing.UNCLIPPED),
            ("clip_adagrad_norm", "clipped", drawing.CLIPPED),
        )
    ]
    early = [
        (case, f"{word}, rate for 10³ steps", colour, style)
        for case, word, colour, style in _adagrad_norm(arms)
    ]
    curves.draw_chances(left, [*early, *late])
    left.legend(loc="lower left", fontsize=9)
    left.set_xlim(left=2.0)
    left.set_title("AdaGrad-Norm", loc="left")
    curves.draw_chances(
        right,
        [
            (list(arms[name].values()), word, colour, "-")
            for name, word, colour in (
                ("adam_norm", "unclipped", drawing.UNCLIPPED),
                ("clip_adam_norm", "clipped", drawing.CLIPPED),
            )
        ],
    )
    right.set_title("Adam-Norm, β₂ = 1 − 1/K", loc="left")
    return figure


def tail(arms: curves.Arms) -> Figure:
    """Draws the quantiles of the error against 1/δ."""
    figure, (axes,) = drawing.panels(1, width=9.0)
    curves.draw_tail(
        axes,
        arms,
        (
            ("sgd", "SGD", drawing.UNCLIPPED, "-"),
            (
                "adagrad_norm, delay 1",
                "AdaGrad-Norm, delay 1",
                drawing.UNCLIPPED,
                "--",
            ),
            (
                "adam_norm, delay 1",
                "Adam-Norm, delay 1",
                drawing.UNCLIPPED,
                ":",
            ),
            ("gclip", "clipped SGD", drawing.CLIPPED, "-"),
            (
                "clip_adagrad_norm, delay 1",
                "Clip-AdaGrad-Norm, delay 1",
                drawing.CLIPPED,
                "--",
            ),
            (
                "adagrad_norm, delay 1, Gaussian",
                "AdaGrad-Norm, delay 1,\nGaussian noise",
                drawing.BLACK,
                "-.",
            ),
        ),
    )
    return figure


def delay(arms: curves.Arms) -> Figure:
    """Draws the 99 % quantile of the error against the delay."""
    figure, (axes,) = drawing.panels(1, width=8.0)
    cases = {
        name: case
        for arm, found in arms.items()
        if arm.endswith(" over delays")
        for name, case in found.items()
    }
    rows = (
        ("adagrad_norm", "AdaGrad-Norm", drawing.UNCLIPPED, "-"),
        ("clip_adagrad_norm", "Clip-AdaGrad-Norm", drawing.CLIPPED, "-"),
        (
            "clip_adagrad_norm, b₀ = 0.01",
            "the same, b₀ = 0.01",
            drawing.CLIPPED,
            ":",
        ),
        ("clip_adam_norm", "Clip-Adam-Norm", drawing.SKY, "--"),
    )
    delays = (0, 1, 8, 64)
    for (name, word, colour, style), marker in zip(
        rows, drawing.MARKERS, strict=False
    ):
        axes.plot(
            range(len(delays)),
            [
                curves.quantile(cases[f"{name}, delay = {delay}"], 0.01)
                for delay in delays
            ],
            color=colour,
            linestyle=style,
            marker=marker,
            label=word,
        )
    axes.set_xticks(range(len(delays)), map(str, delays))
    axes.set_yscale("log")
    drawing.label(axes, "delay d", "99 % quantile of f")
    axes.legend()
    return figure


def thresholds(arms: curves.Arms) -> Figure:
    """Draws how f falls with growing thresholds, and the sweep of scales."""
    figure, (left, right) = drawing.panels(2)
    rows = (
        ("k^(1/(2α)), skewed", "τ ~ k^(1/3), skewed", drawing.ORANGE, "-"),
        ("k^(1/α), skewed", "τ ~ k^(2/3), skewed", drawing.BLUE, "-"),
        (
            "k^(1/(2α)), symmetric",
            "τ ~ k^(1/3), symmetric",
            drawing.ORANGE,
            ":",
        ),
        ("k^(1/α), symmetric", "τ ~ k^(2/3), symmetric", drawing.BLUE, ":"),
    )
    for arm, word, colour, dash in rows:
        (case,) = arms[arm].values()
        left.loglog(
            case["checkpoints"],
            case["means"],
            color=colour,
            linestyle=dash,
            label=word,
        )
    for exponent, arm in ((-1 / 3, rows[0][0]), (-2 / 3, rows[1][0])):
        (case,) = arms[arm].values()
        curves.guide(left, (1e3, 1e4), 1.25 * case["means"][-1], exponent)
    drawing.label(left, "steps K", "mean of f, averaged iterate")
    left.legend(fontsize=9)
    words = ("constant", "adaptive", "k^(1/(2α))", "k^(1/α)")
    colours = (drawing.BLACK, drawing.GREEN, drawing.ORANGE, drawing.BLUE)
    for word, colour, marker in zip(
        words, colours, drawing.MARKERS, strict=False
    ):
        cases = {
            name.split("= ")[1]: case
            for name, case in arms[f"{word} over scales"].items()
        }
        unclipped = cases.pop("none", None)
        right.loglog(
            [float(scale) for scale in cases],
            [curves.quantile(case, 0.01) for case in cases.values()],
            color=colour,
            marker=marker,
            label=word,
        )
        if unclipped:
            right.axhline(
                curves.quantile(unclipped, 0.01),
                color=drawing.UNCLIPPED,
                linestyle="--",
                label="no clipping",
            )
    drawing.label(right, "scale of the threshold", "99 % quantile of f")
    right.legend(fontsize=9, loc="lower left")
    return figure


def methods(arms: curves.Arms) -> Figure:
    """Draws median and 99 % quantile of all methods in ten dimensions."""
    cases = {
        name: case
        for arm, found in arms.items()
        if arm.endswith(" in 10")
        for name, case in found.items()
    }
    if not cases:
        raise KeyError("arm in ten dimensions")
    names = sorted(cases, key=lambda name: -curves.quantile(cases[name], 0.01))
    figure, (axes,) = drawing.panels(
        1, width=10.0, height=0.27 * len(names) + 1.2
    )
    for row, name in enumerate(names):
        low, high = (
            curves.quantile(cases[name], delta) for delta in (0.5, 0.01)
        )
        clipped = "clip" in name
        colour = drawing.CLIPPED if clipped else drawing.UNCLIPPED
        axes.plot([low, high], [row, row], color=colour, alpha=0.5)
        axes.plot(low, row, "|", color=colour, markersize=10)
        axes.plot(high, row, "o" if clipped else "s", color=colour)
    axes.plot([], [], "s", color=drawing.UNCLIPPED, label="unclipped")
    axes.plot([], [], "o", color=drawing.CLIPPED, label="clipped")
    axes.set_yticks(range(len(names)), names)
    axes.set_xscale("log")
    axes.set_xlabel("f after 1,000 steps: median (|) and 99 % quantile")
    axes.legend(loc="lower left")
    return figure


def learning_rates(arms: curves.Arms) -> Figure:
    """Draws what every rate of the grid comes to, a panel for each arm."""
    tuned = {
        arm: cases
        for arm, cases in arms.items()
        if any(case["tuning"] for case in cases.values())
    }
    if not tuned:
        raise KeyError("arm with a learning rate that was tuned")
    columns = 4
    rows = -(-len(tuned) // columns)
    with matplotlib.rc_context({"font.size": 9, "lines.linewidth": 1}):
        figure = Figure((14, 2.6 * rows), layout="constrained")
        panels = figure.subplots(rows, columns, sharex=True).ravel()
        for axes, (arm, cases) in zip(panels, tuned.items(), strict=False):
            for number, case in enumerate(cases.values()):
                found = case["tuning"]
                if not found:
                    continue
                rates = [float(rate) for rate in found]
                colour = matplotlib.colormaps["cividis"](
                    number / max(len(cases) - 1, 1)
                )
                axes.loglog(rates, list(found.values()), color=colour)
                best = found[str(case["rate"])]
                axes.plot(case["rate"], best, "o", color=colour, markersize=4)
            axes.set_ylim(top=min(axes.get_ylim()[1], 1e4))
            axes.set_title(arm, loc="left", fontsize=9)
        for axes in panels[len(tuned) :]:
            axes.set_axis_off()
        figure.supxlabel("learning rate")
        figure.supylabel("the quantile that is tuned for")
    return figure


FIGURES = (
    headline,
    probability,
    tail,
    delay,
    thresholds,
    theorem_figures.theorems,
    theorem_figures.spike,
    theorem_figures.dimensions,
    methods,
    learning_rates,
)
