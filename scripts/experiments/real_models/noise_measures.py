"""Measures what claims say of the gradient noise of finetuning.

A measure takes the reports of all experiments and its arguments in
`claims.yaml`. It returns an estimate and the two ends of its interval of 95 %.
"""

from collections.abc import Callable
from collections.abc import Mapping

import numpy as np

from keras_clip.noise import quartile_ratios

Reports = Mapping[str, Mapping]


def tail_index(
    reports: Reports, noise_of: str, at: str, size: int
) -> np.ndarray:
    """Returns Hill's tail index of the norms of the noise."""
    found = reports[noise_of][at, size].tail_index
    return np.array([found.alpha, found.low, found.high])


def mild_ratio(
    reports: Reports, noise_of: str, at: str, size: int
) -> np.ndarray:
    """Returns how many norms are mild outliers, by those of a Gaussian law."""
    norms = reports[noise_of][at, size].samples.noise_norms
    found = quartile_ratios(norms)
    return np.array([found.mild, found.mild_low, found.mild_high])


NOISE_MEASURES: dict[str, Callable] = {
    measure.__name__: measure for measure in (tail_index, mild_ratio)
}
