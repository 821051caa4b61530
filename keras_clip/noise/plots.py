"""Pictures of the gradient noise, as in the figures of Zhang et al. (2020)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from keras_clip.noise.extras import import_figure
from keras_clip.noise.hill_curve import hill_curve
from keras_clip.noise.noise_report import NoiseReport
from keras_clip.noise.variance_curve import variance_curve

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Of the palette of Okabe and Ito, which the colour-blind can tell apart.
_SAMPLES, _BOUND = "#999999", "#000000"
_GAUSSIAN, _STABLE = "#0072B2", "#D55E00"


def plot_report(report: NoiseReport) -> "Figure":
    """Draws histogram with both fits, tail, Hill plot and variance curve.

    As figure 1 of the paper shows the noise of one model.

    Args:
        report: A report.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ImportError: If matplotlib is not installed.

    Example:

    >>> import numpy as np
    >>> from keras_clip import noise
    >>> model = keras.Sequential([keras.layers.Input((2,)),
    ...                           keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x = np.random.default_rng(0).normal(size=(256, 2))
    >>> samples = noise.sample(
    ...     model, x, x[:, :1], batch_size=8, num_samples=100, verbose=0)
    >>> figure = noise.plot_report(noise.report(samples))
    """
    figure, axes = _figure(2, 2, width=9.0, height=6.4)
    _draw_histogram(axes[0, 0], report, legend=True)
    axes[0, 0].set_title("Noise norms and fitted sums of squares")
    _draw_tail(axes[0, 1], report)
    _draw_hill(axes[1, 0], report)
    _draw_variance(axes[1, 1], report)
    samples = report.samples
    title = (
        f"Gradient noise of {len(samples):,} mini-batches of "
        f"{samples.batch_size}: {report.verdict}"
        f", tail index {report.tail_index or 'unknown'}"
    )
    if samples.num_censored:
        title += f"\nwithout {samples.num_censored:,} that may be the largest"
    figure.suptitle(title)
    return figure


def plot_evolution(
    reports: Mapping[str, Mapping[int, NoiseReport]], unit: str = "step"
) -> "Figure":
    """Draws how the noise changes over training, for one or several models.

    As figure 2 of the paper: a histogram for each point in training, a row for
    each model.

    Args:
        reports: Dict from a model's name to a dict from the number of training
            steps to a report. All need the same steps.
        unit: What is counted. Defaults to `"step"`.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there is no report, or models differ in their steps.
        ImportError: If matplotlib is not installed.

    Example:

    >>> import numpy as np
    >>> from keras_clip import noise
    >>> model = keras.Sequential([keras.layers.Input((2,)),
    ...                           keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x = np.random.default_rng(0).normal(size=(256, 2))
    >>> samples = noise.sample(
    ...     model, x, x[:, :1], batch_size=8, num_samples=100, verbose=0)
    >>> reports = {0: noise.report(samples)}
    >>> figure = noise.plot_evolution({"linear model": reports})
    """
    titled = {
        name: {f"{unit} {step:,}": item for step, item in by_step.items()}
        for name, by_step in reports.items()
    }
    return plot_grid(titled)


def plot_grid(reports: Mapping[str, Mapping[str, NoiseReport]]) -> "Figure":
    """Draws a grid of histograms with both fits.

    As figure 4 of the paper: models down, data across.

    Args:
        reports: Dict from the title of a row to a dict from the title of a
            column to a report. All rows need the same columns.

    Returns:
        A `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there is no report, or rows differ in their columns.
        ImportError: If matplotlib is not installed.

    Example:

    >>> import numpy as np
    >>> from keras_clip import noise
    >>> model = keras.Sequential([keras.layers.Input((2,)),
    ...                           keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x = np.random.default_rng(0).normal(size=(256, 2))
    >>> samples = noise.sample(
    ...     model, x, x[:, :1], batch_size=8, num_samples=100, verbose=0)
    >>> row = {"Gaussian input": noise.report(samples)}
    >>> figure = noise.plot_grid({"linear model": row})
    """
    columns = [list(row) for row in reports.values()]
    if not columns or not columns[0] or any(c != columns[0] for c in columns):
        raise ValueError(
            "`reports` must have rows with the same columns, at least one of "
            f"each. Received: columns={columns}"
        )
    figure, axes = _figure(
        len(columns),
        len(columns[0]),
        width=max(2.6 * len(columns[0]), 6.0),
        height=2.4 * len(columns) + 0.4,
    )
    for row, (name, by_column) in enumerate(reports.items()):
        for column, (title, report) in enumerate(by_column.items()):
            axis = axes[row, column]
            _draw_histogram(axis, report, legend=False)
            index = report.tail_index or "unknown"
            axis.set_title(f"{title}\ntail index {index}", fontsize=9)
            axis.set_ylabel("" if column else f"{name}\ndensity", fontsize=9)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure


def _figure(rows, columns, width, height):
    figure = import_figure()(
        figsize=(width, height), dpi=120, layout="constrained"
    )
    return figure, figure.subplots(rows, columns, squeeze=False)


def _draw_histogram(axis, report, legend):
    """Draws the norms up to where the last of a thousand begin."""
    norms, unit, label = _in_unit(report)
    low, high = np.min(norms), np.quantile(norms, 0.999)
    high = max(high, low * (1 + 1e-6))
    bins = np.linspace(low, high, 41)
    shown = norms[norms <= high]
    heights, _ = np.histogram(shown, bins)
    density = heights / (len(norms) * np.diff(bins))
    axis.stairs(density, bins, fill=True, color=_SAMPLES, label="samples")
    grid = np.linspace(max(low, high * 1e-3), high, 200)
    for fit, color, style, name in _fits(report):
        values = unit * fit.density(unit * grid)
        axis.plot(grid, values, color=color, ls=style, label=name)
    outside = len(norms) - len(shown)
    if outside:
        axis.annotate(
            f"{outside} beyond, up to {np.max(norms):.3g}",
            # Below the legend, or where it would be.
            (0.98, 0.6 if legend else 0.95),
            xycoords="axes fraction",
            ha="right",
            va="top",
            fontsize=8,
        )
    axis.set_xlabel(label)
    axis.set_ylabel("density")
    # A fit may have a peak that would dwarf the samples.
    axis.set_ylim(0, 1.6 * np.max(density))
    if legend:
        axis.legend(fontsize=8)


def _in_unit(report):
    """Returns norms of the noise, their unit and its label.

    The unit is 1 if their squares are floats, and their densities such that
    matplotlib can tell them apart.
    """
    norms, label = report.samples.noise_norms, "‖g − ∇f‖"
    power = np.floor(np.log10(np.max(norms)))
    if abs(power) <= 100:
        return norms, 1.0, label
    unit = 10.0**power
    return norms / unit, unit, f"{label} / {unit:.0e}"


def _draw_tail(axis, report):
    norms = np.sort(report.samples.noise_norms)
    number = len(norms) + report.samples.num_censored
    share = 1 - np.arange(len(norms)) / number
    axis.loglog(norms, share, ".", ms=3, color=_SAMPLES, label="samples")
    grid = np.geomspace(norms[0], 1.3 * norms[-1], 200)
    for fit, color, style, label in _fits(report):
        beyond = 1 - fit.distribution(grid)
        beyond[beyond < 1e-8] = np.nan  # what the inversion cannot tell from 0
        axis.loglog(grid, beyond, color=color, ls=style, label=label)
    if report.tail_index:
        k, alpha = report.tail_index.k, report.tail_index.alpha
        start = norms[-k - 1]
        tail = np.geomspace(start, 1.3 * norms[-1], 2)
        axis.loglog(
            tail,
            k / len(norms) * (tail / start) ** -alpha,
            color=_BOUND,
            ls=":",
            label=f"power −{alpha:.2f} (Hill)",
        )
    axis.set_ylim(0.3 / number, 1.5)
    _label_few(axis.xaxis)
    axis.set_title("Tail")
    axis.set_xlabel("‖g − ∇f‖")
    axis.set_ylabel("share of samples beyond")
    axis.legend(fontsize=8, loc="lower left")


def _draw_hill(axis, report):
    axis.set_title("Hill plot")
    axis.set_xlabel("largest samples used, k")
    axis.set_ylabel("tail index")
    if report.tail_index is None:
        censored = report.samples.num_censored
        axis.annotate(
            "the largest may be missing" if censored else "too few samples",
            (0.5, 0.5),
            xycoords="axes fraction",
            ha="center",
        )
        return
    index = report.tail_index
    curve = hill_curve(report.samples.noise_norms, index.confidence)
    # A handful of samples says nothing, and would set the scale.
    shown = (curve.k >= 5) & (curve.k <= len(curve.k) // 2)
    k = curve.k[shown]
    axis.fill_between(
        k,
        curve.low[shown],
        curve.high[shown],
        color=_SAMPLES,
        alpha=0.5,
        lw=0,
        label=f"{100 * index.confidence:g} % interval",
    )
    axis.semilogx(k, curve.alpha[shown], color=_STABLE, label="estimate")
    axis.axhline(2, color=_BOUND, lw=1, ls="--", label="no variance below 2")
    axis.axvline(index.k, color=_GAUSSIAN, lw=1, ls=":", label=f"k = {index.k}")
    axis.set_ylim(0, max(3.0, 1.3 * np.quantile(curve.high[shown], 0.9)))
    axis.legend(fontsize=8)


def _draw_variance(axis, report):
    norms, unit, label = _in_unit(report)
    label = f"mean of {label}²" if unit == 1 else f"mean of ({label})²"
    curve = variance_curve(norms)
    axis.fill_between(
        curve.num_samples,
        curve.low,
        curve.high,
        color=_SAMPLES,
        alpha=0.5,
        lw=0,
        label="10 to 90 % of random orders",
    )
    axis.loglog(
        curve.num_samples, curve.variance, color=_STABLE, label="as sampled"
    )
    _label_few(axis.yaxis)
    axis.set_title("Empirical variance")
    axis.set_xlabel("samples")
    axis.set_ylabel(label)
    axis.legend(fontsize=8)


def _label_few(axis):
    """Labels 1, 2 and 5 where the digits of a decade or less would overlap."""
    from matplotlib import ticker

    low, high = axis.get_view_interval()
    if high > 20 * low:
        return
    axis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(ticker.NullFormatter())


def _fits(report):
    for fit, color, style, name in (
        (report.gaussian_fit, _GAUSSIAN, "--", "squared Gaussians"),
        (report.stable_fit, _STABLE, "-", "squared stables"),
    ):
        if fit is not None:
            yield fit, color, style, name
