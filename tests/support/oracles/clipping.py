"""The three clipping operators in NumPy float64."""

import numpy as np

from tests.support.oracles import thresholds


def norm(arrays):
    """Returns the Euclidean norm over all arrays."""
    return np.sqrt(sum(np.sum(np.square(a)) for a in arrays))


class ClippingOracle:
    """Clips the gradients of all variables.

    Attributes:
        moments: What an adaptive threshold remembers: τ_k^alpha of the global
            norm, or that of each variable's.
    """

    def __init__(self, threshold, clipping, variables):
        self.threshold = threshold
        self.clipping = clipping
        self.moments = [0.0] * (1 if clipping == "global" else len(variables))

    def replace(self, threshold, k, counts):
        """Goes on with another threshold, of the same norms up to now."""
        before, self.threshold = self.threshold, threshold
        if not thresholds.is_adaptive(threshold):
            return
        counts = [k] if self.clipping == "global" else counts
        self.moments = [
            thresholds.moment_of(
                threshold, count, thresholds.norm_of(before, count, moment)
            )
            for count, moment in zip(counts, self.moments, strict=True)
        ]

    def __call__(self, k, own, g):
        """Returns u_k, the moments, what was clipped and at which thresholds.

        `own` has the number of this update of each variable. The last two have
        an entry for each variable: a boolean array, of one element but for
        clipping by coordinate, and the threshold or `None`.
        """
        if self.threshold is None:
            nothing = [np.zeros(1, bool)] * len(g)
            return g, self.moments, nothing, [None] * len(g)
        norms = [norm([g_i]) for g_i in g]
        if self.clipping == "global":
            norms, own = [norm(g)], [k]
        tau, moments = thresholds.at(
            self.threshold, k, own, norms, self.moments
        )
        if self.clipping == "global":
            norms, tau = norms * len(g), tau * len(g)
        sizes = norms
        if self.clipping == "coordinate":
            sizes = [np.abs(g_i) for g_i in g]
        clipped = [np.ravel(s > t) for s, t in zip(sizes, tau, strict=True)]
        u = [
            factor(t, s) * g_i for t, s, g_i in zip(tau, sizes, g, strict=True)
        ]
        return u, moments, clipped, tau


def factor(threshold, size):
    """Returns `min(1, threshold / size)`, which is 1 where the size is 0."""
    zero = size == 0
    return np.where(zero, 1.0, np.minimum(1, threshold / (size + zero)))
