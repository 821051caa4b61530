"""Writes a report as text."""

import numpy as np

from keras_clip.noise.reports.optimizers_for import calls_for

_VERDICTS = {
    "heavy-tailed": "the noise is heavy-tailed: it has no variance.",
    "not heavy-tailed": "the noise is not heavy-tailed: it has a variance.",
    "undecided": (
        "undecided: the interval holds 2, below which there is no variance."
    ),
    "unknown": "unknown: there is no estimate of the tail index.",
}
_NORMS = {
    "global": "the norm of all gradients together",
    "layer": "the norm of each variable's gradient",
}
_CENSORED = (
    "unknown: the mini-batches that were left out may be those with the "
    "largest gradients, which tell how heavy the tail is."
)


def text_of(report) -> str:
    """Returns a report as text, the recommended line of code last.

    Args:
        report: A `NoiseReport`.

    Returns:
        Lines: the samples, the verdict, the estimates, their caveats, the
        thresholds, what to do.
    """
    return "\n".join(
        [
            *_on_samples(report.samples),
            "",
            f"Verdict: {_verdict(report)}",
            *_on_tail(report),
            *_on_layers(report),
            *(["", "Caveats:"] if report.caveats else []),
            *(f"  - {caveat}" for caveat in report.caveats),
            "",
            *_on_thresholds(report),
            "",
            *_on_what_to_do(report.recommendation),
        ]
    )


def _verdict(report):
    if report.samples.num_censored:
        return _CENSORED
    return _VERDICTS[report.verdict]


def _on_samples(samples):
    norms = samples.noise_norms
    error = "exact"
    if not samples.exact:
        error = f"standard error {samples.full_gradient_error:.4g}"
    return [
        f"Gradient noise of {len(samples)} mini-batches of "
        f"{samples.batch_size}, training={samples.training}",
        f"  loss {samples.loss:.4g}, norm of the full gradient "
        f"{samples.full_gradient_norm:.4g} ({error})",
        f"  norm of the noise: median {np.median(norms):.4g}, mean "
        f"{np.mean(norms):.4g}, largest {np.max(norms):.4g}",
    ]


def _on_tail(report):
    if report.tail_index:
        yield (
            "  tail index of the norms, which the verdict goes by (Hill, "
            f"{report.tail_index.k} largest): {report.tail_index}"
        )
    if report.stable_index:
        yield (
            "  index of projections, if their law is stable (log-moment): "
            f"{report.stable_index}"
        )
    if report.kurtosis is not None:
        yield f"  kurtosis of projections: {report.kurtosis:.3g} (Gaussian: 3)"
    for name, fit in (
        ("Gaussians", report.gaussian_fit),
        ("stable variables", report.stable_fit),
    ):
        if fit:
            yield (
                f"  as a sum of {fit.dimension:.3g} squared {name}"
                f"{'' if fit.alpha == 2 else f' of index {fit.alpha:.2f}'}"
                f": Kolmogorov-Smirnov distance {fit.distance:.3f}"
            )


def _on_layers(report):
    if report.layers:
        yield "  tail index and median norm of the noise of each variable:"
        medians = np.median(report.samples.layer_noise_norms, axis=0)
        for (path, index), median in zip(
            report.layers.items(), medians, strict=True
        ):
            yield f"    {path}: {index or 'unknown'}, {median:.4g}"


def _on_thresholds(report):
    if not report.suggestions:
        why = "where almost all gradients are 0"
        if report.samples.num_censored:
            why = "without the largest gradients"
        yield f"Suggested thresholds: none {why}."
        return
    groups = {}
    for suggestion in report.suggestions.values():
        key = (suggestion.is_theory, suggestion.clipping)
        groups.setdefault(key, []).append(suggestion)
    for (is_theory, clipping), group in groups.items():
        source = "from theorems, " if is_theory else ""
        yield (
            f"Suggested thresholds, {source}of {_NORMS[clipping]}, for "
            f"{', '.join(calls_for(clipping))}:"
        )
        for each in group:
            yield f"  {each.name}: clip_threshold={each.argument}"
            yield f"    {each.rule}"
    others = ", ".join(calls_for("coordinate"))
    yield (
        f"None is for {others}, which would compare single coordinates with a "
        "norm, and clip next to nothing. "
        f"{', '.join(calls_for(None))} finds its own."
    )


def _on_what_to_do(recommendation):
    yield "What to do:"
    yield from (f"  - {sentence}" for sentence in recommendation.advice)
    chosen = recommendation.suggestion
    which = f', with "{chosen.name}" of these thresholds' if chosen else ""
    yield f"Recommended{which}, after `{recommendation.import_line}`:"
    yield recommendation.line
