"""Tick labels can be told apart, and there are enough, on any range."""

import itertools

import numpy as np
import pytest
from matplotlib.figure import Figure

from keras_clip.noise.reports.tick_labels import label_linear
from keras_clip.noise.reports.tick_labels import label_logarithmic

pytestmark = pytest.mark.slow

LEAST = [1e-120, 2.3e-31, 3.1e-7, 0.004, 0.93, 3.1, 9.7, 1234.5, 9.9e4, 7e30]
WIDTHS = [
    *(1.000001, 1.0003, 1.01, 1.2, 1.42, 2.2, 4, 7.9, 8.1, 12, 19, 21, 30, 99),
    *(150, 201, 3e3, 1e9, 1e90),
]


def a_third(widths, least):
    """Returns a third of them, another one for the next of `LEAST`."""
    return widths[LEAST.index(least) % 3 :: 3]


def check_labels(part):
    """Raises unless axes have labels that do not overlap, two or more each."""
    for axis in (part.xaxis, part.yaxis):
        across = axis.axis_name == "x"
        low, high = sorted(axis.get_view_interval())
        boxes = [
            label.get_window_extent()
            for label in axis.get_ticklabels(which="both")
            if label.get_visible()
            and label.get_text()
            and low <= label.get_position()[0 if across else 1] <= high
        ]
        assert len(boxes) >= 2, (axis, low, high)
        boxes.sort(key=lambda box: box.x0 if across else box.y0)
        for one, two in itertools.pairwise(boxes):
            assert (one.x1 < two.x0) if across else (one.y1 < two.y0), axis


def _drawn(x, y, scale, label):
    # As large as the smallest panel of each kind.
    size = (4.5, 3.2) if scale == "log" else (2.6, 2.4)
    figure = Figure(figsize=size, layout="constrained")
    part = figure.subplots()
    part.plot(x, y)
    part.set_xscale(scale)
    part.set_yscale(scale)
    label(part.xaxis)
    label(part.yaxis)
    figure.draw_without_rendering()
    return part


@pytest.mark.parametrize("least", LEAST)
def test_logarithmic_labels_do_not_overlap(least):
    for width in a_third(WIDTHS, least):
        ends = np.array([least, least * width])
        check_labels(_drawn(ends, ends, "log", label_logarithmic))


@pytest.mark.parametrize("least", LEAST[1:])
def test_linear_labels_do_not_overlap(least):
    for width in a_third(WIDTHS[:-1], least):
        ends = np.array([least, least * width])
        check_labels(_drawn(ends, ends, "linear", label_linear))


def test_an_axis_of_many_decades_is_labelled_by_their_powers():
    part = _drawn([1e-3, 1e6], [1e-3, 1e6], "log", label_logarithmic)
    texts = {label.get_text() for label in part.xaxis.get_ticklabels()}
    assert texts & {"$\\mathdefault{10^{0}}$", "$\\mathdefault{10^{3}}$"}
