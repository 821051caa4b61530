"""Draws the panels that figures of the gradient noise consist of."""

from typing import TYPE_CHECKING
from typing import Protocol

import numpy as np

from keras_clip.noise.estimators.hill_curve import hill_curve
from keras_clip.noise.estimators.squared_sum import SquaredSum
from keras_clip.noise.estimators.tail_index import TailIndex
from keras_clip.noise.estimators.variance_curve import variance_curve
from keras_clip.noise.optional_packages import import_figure
from keras_clip.noise.reports.tick_labels import label_linear
from keras_clip.noise.reports.tick_labels import label_logarithmic
from keras_clip.noise.sampling.noise_samples import NoiseSamples

# Colours from the palette of Okabe and Ito, safe for the colour-blind.
_SAMPLES, _BOUND = "#999999", "#000000"
_GAUSSIAN, _STABLE = "#0072B2", "#D55E00"


if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Findings(Protocol):
    """Declares the attributes of a `NoiseReport` that the panels draw."""

    samples: NoiseSamples
    tail_index: TailIndex | None
    gaussian_fit: SquaredSum | None
    stable_fit: SquaredSum | None
    verdict: str


def draw_report(report: Findings) -> "Figure":
    """Draws all panels of a report into one figure."""
    figure, axes = new_figure(2, 2, width=9.0, height=6.4)
    draw_histogram(axes[0, 0], report, legend=True)
    axes[0, 0].set_title("Noise norms and fitted sums of squares")
    draw_tail(axes[0, 1], report)
    draw_hill(axes[1, 0], report)
    draw_variance(axes[1, 1], report)
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


def new_figure(
    rows: int, columns: int, width: float, height: float
) -> tuple["Figure", np.ndarray]:
    """Returns a figure of a size in inches, and its grid of axes."""
    figure = import_figure()(
        figsize=(width, height), dpi=120, layout="constrained"
    )
    return figure, figure.subplots(rows, columns, squeeze=False)


def draw_histogram(axis, report: Findings, legend: bool):
    """Draws a histogram of the norms up to their 0.999 quantile.

    Args:
        axis: Axes of matplotlib.
        report: A report.
        legend: Whether the panel has a legend.
    """
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
            # Below the place of the legend.
            (0.98, 0.62 if legend else 0.95),
            xycoords="axes fraction",
            ha="right",
            va="top",
            fontsize=8,
        )
    axis.set_xlabel(label)
    axis.set_ylabel("density")
    # A fit may have a peak far above the samples. Above them is the legend.
    axis.set_ylim(0, (2.0 if legend else 1.6) * np.max(density))
    label_linear(axis.xaxis)
    label_linear(axis.yaxis)
    if legend:
        axis.legend(fontsize=8)


def _in_unit(report):
    """Returns norms of the noise, their unit and its label.

    The unit is 1 unless squares would overflow or underflow, or densities would
    be too close for matplotlib.
    """
    norms, label = report.samples.noise_norms, "‖g − ∇f‖"
    power = np.floor(np.log10(np.max(norms)))
    if abs(power) <= 100:
        return norms, 1.0, label
    unit = 10.0**power
    return norms / unit, unit, f"{label} / {unit:.0e}"


def draw_tail(axis, report: Findings):
    """Draws the share of samples beyond each norm, and the fits.

    Args:
        axis: Axes of matplotlib.
        report: A report.
    """
    norms = np.sort(report.samples.noise_norms)
    number = len(norms) + report.samples.num_censored
    share = 1 - np.arange(len(norms)) / number
    axis.loglog(norms, share, ".", ms=3, color=_SAMPLES, label="samples")
    # The axis cannot show batches without noise.
    least = norms[norms > 0][0]
    # Norms that are nearly equal also fill the panel.
    end = norms[-1] * min(1.3, norms[-1] / least)
    grid = np.geomspace(least, end, 200)
    for fit, color, style, label in _fits(report):
        beyond = 1 - fit.distribution(grid)
        beyond[beyond < 1e-8] = np.nan  # below the error of the inversion
        axis.loglog(grid, beyond, color=color, ls=style, label=label)
    if report.tail_index:
        k, alpha = report.tail_index.k, report.tail_index.alpha
        start = norms[-k - 1]
        tail = np.geomspace(start, end, 2)
        axis.loglog(
            tail,
            k / len(norms) * (tail / start) ** -alpha,
            color=_BOUND,
            ls=":",
            label=f"power −{alpha:.2f} (Hill)",
        )
    axis.set_ylim(0.3 / number, 1.5)
    label_logarithmic(axis.xaxis)
    label_logarithmic(axis.yaxis)
    axis.set_title("Tail")
    axis.set_xlabel("‖g − ∇f‖")
    axis.set_ylabel("share of samples beyond")
    axis.legend(fontsize=8, loc="lower left")


def draw_hill(axis, report: Findings):
    """Draws Hill's estimate as a function of the number of samples used.

    Args:
        axis: Axes of matplotlib.
        report: A report.
    """
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
    # Estimates from a handful of samples are noise that would set the scale.
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
    label_logarithmic(axis.xaxis)
    label_linear(axis.yaxis)
    axis.legend(fontsize=8)


def draw_variance(axis, report: Findings):
    """Draws the mean square as a function of the number of samples.

    Args:
        axis: Axes of matplotlib.
        report: A report.
    """
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
    label_logarithmic(axis.xaxis)
    label_logarithmic(axis.yaxis)
    axis.set_title("Empirical variance")
    axis.set_xlabel("samples")
    axis.set_ylabel(label)
    axis.legend(fontsize=8)


def _fits(report):
    for fit, color, style, name in (
        (report.gaussian_fit, _GAUSSIAN, "--", "squared Gaussians"),
        (report.stable_fit, _STABLE, "-", "squared stables"),
    ):
        if fit is not None:
            yield fit, color, style, name
