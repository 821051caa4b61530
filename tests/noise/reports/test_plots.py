"""Pictures show what the report says, with labels on all axes."""

import numpy as np
import pytest

from keras_clip import noise
from tests.noise.reports.test_tick_labels import check_labels
from tests.support.noise_problems import make_samples

pytestmark = pytest.mark.slow


def _report(index, size=400, seed=0):
    rng = np.random.default_rng(seed)
    return noise.report(make_samples(rng.pareto(index, size) + 1))


@pytest.fixture(scope="module")
def report():
    return _report(1.5)


def _texts(axis):
    legend = axis.get_legend()
    return [text.get_text() for text in legend.get_texts()] if legend else []


def test_every_panel_is_labelled(report):
    figure = noise.plot_report(report)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == [
        "Noise norms and fitted sums of squares",
        "Tail",
        "Hill plot",
        "Empirical variance",
    ]
    for axis in figure.axes:
        assert axis.get_xlabel() and axis.get_ylabel()
        assert len(_texts(axis)) >= 2
    assert report.verdict in figure.get_suptitle()
    assert str(report.tail_index) in figure.get_suptitle()


def test_the_histogram_has_the_density_of_the_samples(report):
    histogram = noise.plot_report(report).axes[0].patches[0]
    heights, edges = histogram.get_data().values, histogram.get_data().edges
    norms = report.samples.noise_norms
    shown = np.mean(norms <= edges[-1])
    np.testing.assert_allclose(np.sum(heights * np.diff(edges)), shown)
    assert shown >= 0.997


def test_the_tail_falls_from_one_to_one_sample(report):
    points = noise.plot_report(report).axes[1].lines[0]
    x, y = points.get_data()
    np.testing.assert_array_equal(x, np.sort(report.samples.noise_norms))
    assert y[0] == 1.0 and y[-1] == pytest.approx(1 / len(x))


def test_the_hill_plot_goes_through_the_estimate(report):
    curve = noise.plot_report(report).axes[2].lines[0]
    k, alpha = curve.get_data()
    index = report.tail_index
    assert alpha[list(k).index(index.k)] == pytest.approx(index.alpha)


def test_the_variance_curve_ends_at_the_variance(report):
    curve = noise.plot_report(report).axes[3].lines[0]
    n, variance = curve.get_data()
    norms = report.samples.noise_norms
    assert n[-1] == len(norms)
    assert variance[-1] == pytest.approx(np.mean(norms**2))


UNIFORM = np.random.default_rng(0).uniform(size=60)


@pytest.mark.usefixtures("stables_are_not_fitted")
@pytest.mark.parametrize(
    "norms",
    [
        pytest.param(9.3 + 1.2 * UNIFORM, id="narrow"),
        pytest.param(3.1e-7 + 1e-8 * UNIFORM, id="tiny"),
        pytest.param(10 ** (-3 + 9 * UNIFORM), id="wide"),
        pytest.param(123456 + 40000 * UNIFORM, id="large"),
    ],
)
def test_no_two_labels_of_an_axis_overlap(norms):
    report = noise.report(make_samples(norms))
    panels = {name: report for name in "abcd"}
    for figure in (
        noise.plot_report(report),
        noise.plot_grid({"model": panels}),
    ):
        figure.draw_without_rendering()
        for part in figure.axes:
            check_labels(part)


def test_a_report_without_estimates_is_drawn_too(tmp_path):
    few = _report(1.5, size=20)
    assert few.tail_index is None
    few.plot(tmp_path / "few.png")
    assert (tmp_path / "few.png").stat().st_size > 10_000


@pytest.mark.usefixtures("stables_are_not_fitted")
def test_a_grid_has_a_histogram_for_each_report(report):
    other = _report(3.0)
    figure = noise.plot_grid(
        {
            "attention": {"text": report, "Gaussian": other},
            "none": {"text": other, "Gaussian": report},
        }
    )
    titles = [axis.get_title() for axis in figure.axes]
    assert titles[0] == f"text\ntail index {report.tail_index}"
    assert titles[3] == f"Gaussian\ntail index {report.tail_index}"
    rows = [axis.get_ylabel().split("\n")[0] for axis in figure.axes]
    assert rows == ["attention", "", "none", ""]
    assert len(figure.legends[0].get_texts()) == 3


def test_the_evolution_has_a_column_for_each_point(report):
    figure = noise.plot_evolution({"BERT": {0: report, 1000: report}})
    titles = [axis.get_title() for axis in figure.axes]
    assert [title.split("\n")[0] for title in titles] == [
        "step 0",
        "step 1,000",
    ]
    assert figure.axes[0].get_ylabel() == "BERT\ndensity"


@pytest.mark.parametrize("reports", [{}, {"a": {}}])
def test_no_report_is_refused(reports):
    with pytest.raises(ValueError, match="`reports` must have rows"):
        noise.plot_grid(reports)


def test_rows_with_other_columns_are_refused(report):
    rows = {"a": {"x": report}, "b": {"y": report}}
    with pytest.raises(ValueError, match=r"Received: columns=\[\['x'\], \['y"):
        noise.plot_grid(rows)
