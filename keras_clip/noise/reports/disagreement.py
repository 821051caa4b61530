"""Explains which of two estimates to trust if they contradict each other."""

from keras_clip.noise.estimators.tail_index import TailIndex

_COUNTS = (
    "The estimates disagree. The verdict goes by Hill's, of the largest norms, "
    "for these are what clipping acts on. "
)
_LIGHTER_TAIL = (
    "The log-moment estimate assumes a stable law and sees the body of the "
    "projections: where the scale of the noise varies from batch to batch, it "
    "is below 2 although there is a variance. But stable noise of an index "
    "close to 2 looks the same, as Hill's estimate is too high for it; see the "
    "plot of the tail."
)
_HEAVIER_TAIL = (
    "The log-moment estimate assumes a stable law and sees the body of the "
    "projections: where that is close to Gaussian, a heavy tail of a few in a "
    "hundred mini-batches hardly moves it; see the plot of the tail."
)


def disagreement(tail: TailIndex | None, body: TailIndex | None) -> str | None:
    """Returns which estimate to trust and why, or `None` if they agree.

    They disagree if one interval is below 2, where there is no variance, the
    other reaches 2, and the two do not overlap.

    Args:
        tail: Hill's estimate on the norms.
        body: The log-moment estimate on projections, which ends at 2.

    Returns:
        Sentences or `None`.

    Example:

    >>> from keras_clip.noise import TailIndex
    >>> from keras_clip.noise.reports.disagreement import disagreement
    >>> tail = TailIndex(7.9, 5.1, 11.4, confidence=0.95, num_samples=1000)
    >>> body = TailIndex(1.8, 1.7, 1.9, confidence=0.95, num_samples=1000)
    >>> disagreement(tail, body)[:23]
    'The estimates disagree.'
    """
    if not tail or not body:
        return None
    if body.high < 2 <= tail.low:
        return _COUNTS + _LIGHTER_TAIL
    if tail.high < 2 <= body.high and tail.high < body.low:
        return _COUNTS + _HEAVIER_TAIL
    return None
