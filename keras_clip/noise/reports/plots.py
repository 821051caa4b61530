"""Plots the gradient noise as in the figures of Zhang et al. (2020)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from keras_clip.noise.reports.noise_report import NoiseReport
from keras_clip.noise.reports.panels import draw_histogram
from keras_clip.noise.reports.panels import draw_report
from keras_clip.noise.reports.panels import new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def plot_report(report: NoiseReport) -> "Figure":
    """Draws histogram with both fits, tail, Hill plot and variance curve.

    The paper shows the noise of one model like this in figure 1.

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
    return draw_report(report)


def plot_evolution(
    reports: Mapping[str, Mapping[int, NoiseReport]], unit: str = "step"
) -> "Figure":
    """Draws how the noise changes over training, for one or several models.

    As in figure 2 of the paper, there is a histogram for each point in training
    and a row for each model.

    Args:
        reports: Dict from a model's name to a dict from the number of training
            steps to a report. All need the same steps.
        unit: Name of the points in training. Defaults to `"step"`.

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

    As in figure 4 of the paper, rows may be models and columns data.

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
    figure, axes = new_figure(
        len(columns),
        len(columns[0]),
        width=max(2.6 * len(columns[0]), 6.0),
        height=2.4 * len(columns) + 0.4,
    )
    for row, (name, by_column) in enumerate(reports.items()):
        for column, (title, report) in enumerate(by_column.items()):
            axis = axes[row, column]
            draw_histogram(axis, report, legend=False)
            index = report.tail_index or "unknown"
            axis.set_title(f"{title}\ntail index {index}", fontsize=9)
            axis.set_ylabel("" if column else f"{name}\ndensity", fontsize=9)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3)
    return figure
