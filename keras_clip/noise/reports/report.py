"""Makes a report on samples of the gradient noise."""

import dataclasses

from keras_clip.noise.reports.noise_report import NoiseReport
from keras_clip.noise.reports.suggest import suggest
from keras_clip.noise.sampling.noise_samples import NoiseSamples
from keras_clip.validation import check_number


def report(
    samples: NoiseSamples,
    *,
    confidence: float = 0.95,
    quantile: float = 0.9,
    smoothness: float | None = None,
    initial_gap: float | None = None,
    steps: int | None = None,
) -> NoiseReport:
    """Estimates how heavy the noise's tail is, and suggests thresholds.

    Args:
        samples: Samples, as `sample` returns them.
        confidence: Float in (0, 1), of the intervals. Defaults to `0.95`.
        quantile: Float in (0, 1), the share of steps that suggested thresholds
            do not clip. Defaults to `0.9`.
        smoothness: Float or `None`, for the rule of a theorem; see `suggest`,
            also for the next two. Defaults to `None`.
        initial_gap: Float or `None`. Defaults to `None`.
        steps: Int or `None`. Defaults to `None`.

    Returns:
        A report: print it, `plot` it, and use the line of code in its
        `recommendation` or a threshold from `suggestions`.

    Raises:
        ValueError: If an argument is out of its range.
        ImportError: If SciPy is not installed.

    Example:

    >>> import numpy as np
    >>> from keras_clip import noise
    >>> model = keras.Sequential([keras.layers.Input((2,)),
    ...                           keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(4096, 2)), rng.standard_t(1.2, (4096, 1))
    >>> samples = noise.sample(model, x, y, batch_size=4, verbose=0)
    >>> report = noise.report(samples)
    >>> report.verdict
    'heavy-tailed'
    >>> report.recommendation.suggestion.name
    'adaptive clipped'
    >>> threshold = report.recommendation.suggestion.clip_threshold
    >>> model.compile(optimizer=keras_clip.GClip(clip_threshold=threshold))
    """
    check_number("confidence", confidence, 0, 1, open_low=True, open_high=True)
    found = NoiseReport(samples, confidence, suggestions={}, quantile=quantile)
    index = found.tail_index
    return dataclasses.replace(
        found,
        suggestions=suggest(
            samples,
            index.alpha if index else None,
            quantile=quantile,
            smoothness=smoothness,
            initial_gap=initial_gap,
            steps=steps,
        ),
    )
