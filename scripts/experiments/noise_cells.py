"""Writes a report of the gradient noise as cells of a table."""

from keras_clip.noise import NoiseReport

COLUMNS = (
    "loss",
    "norm of ∇f (error)",
    "noise: median, largest",
    "Hill",
    "log-moment",
    "kurtosis",
    "stable fit",
    "distance: stable, Gaussian",
    "verdict",
)


def cells(report: NoiseReport) -> list[str]:
    """Returns a text for each of `COLUMNS`.

    Args:
        report: The report.
    """
    found = report.summary()
    norms, fit = found["noise_norm"], report.stable_fit
    return [
        f"{found['loss']:.3f}",
        f"{found['full_gradient_norm']:.3g} "
        f"({found['full_gradient_error']:.2g})",
        f"{norms['median']:.3g}, {norms['maximum']:.3g}",
        f"{report.tail_index}",
        f"{report.stable_index}",
        f"{report.kurtosis:.3g}",
        f"α = {fit.alpha:.2f}, m = {fit.dimension:.3g}" if fit else "none",
        (f"{fit.distance:.3f}" if fit else "none")
        + f", {report.gaussian_fit.distance:.3f}",
        report.verdict,
    ]
