"""Sets tick labels that do not overlap, whatever the range of an axis."""


def label_linear(axis):
    """Labels a few numbers, large and small ones by a common power of ten.

    Args:
        axis: Axis of matplotlib with a linear scale.
    """
    from matplotlib import ticker

    formatter = ticker.ScalarFormatter()
    formatter.set_powerlimits((-2, 4))
    axis.set_major_locator(
        ticker.MaxNLocator(nbins=3, steps=[1, 2, 2.5, 5, 10], min_n_ticks=2)
    )
    axis.set_major_formatter(formatter)


def label_logarithmic(axis):
    """Labels powers of ten, few of their multiples, or a few numbers.

    By default matplotlib labels powers of ten. A range of less than a
    hundredfold may contain only one, and it then labels so many numbers between
    them that they overlap.

    Args:
        axis: Axis of matplotlib with a logarithmic scale, which is not changed
            afterwards.
    """
    from matplotlib import ticker

    low, high = axis.get_view_interval()
    axis.set_minor_formatter(ticker.NullFormatter())
    if high < 5 * low:
        label_linear(axis)
        return
    powers = high >= 200 * low
    few = (1, 2, 5) if high < 20 * low else (1, 3)
    axis.set_major_locator(
        ticker.LogLocator(subs=(1,) if powers else few, numticks=6)
    )
    if not powers and 1e-3 <= low and high < 1e5:
        axis.set_major_formatter(ticker.StrMethodFormatter("{x:g}"))
        return
    every = (float("inf"), float("inf"))
    axis.set_major_formatter(
        ticker.LogFormatterSciNotation(
            labelOnlyBase=False, minor_thresholds=every
        )
    )
