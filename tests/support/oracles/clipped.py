"""The clipping and skipping of the oracles."""

import numpy as np

from tests.support.oracles import thresholds
from tests.support.oracles.clipping import ClippingOracle


class ClippedOracle:
    """Clips, and moves what holds no bad gradient; a subclass says how.

    A variable whose gradient is `None` is no part of the step. A bad gradient
    is one whose square is NaN or infinite. It stops its
    coordinate, its variable or the step: `scope` says which. Hyperparameters
    are attributes.

    Attributes:
        x: The variables.
        k: The number of updates, skipped steps not counted.
        counts: That of each variable: the updates that it was given, without
            those in which it was skipped whole.
        clip_fraction: The share that the last update clipped: of steps, of
            variables or of coordinates.
        clip_fractions: The share that it clipped of each variable.
        tau: The threshold that it clipped each variable at, or `None`.
        skipped_steps: The number of steps with a bad gradient.
    """

    # The hyperparameters, but for the weight decay.
    defaults = {}
    # The names of attributes with an array for each variable.
    slots = ()
    # The operator, where it is no hyperparameter.
    clipping = "global"

    def __init__(self, variables, **hyperparameters):
        defaults = {**self.defaults, "weight_decay": None}
        unknown = hyperparameters.keys() - defaults.keys()
        if unknown:
            raise TypeError(f"No hyperparameters of the oracle: {unknown}")
        for name, value in {**defaults, **hyperparameters}.items():
            setattr(self, name, value)
        self.x = [np.array(x, np.float64) for x in variables]
        for slot in self.slots:
            setattr(self, slot, [np.zeros_like(x) for x in self.x])
        self.k = 0
        self.counts = [0] * len(self.x)
        self.clip_fraction = 0.0
        self.clip_fractions = [0.0] * len(self.x)
        self.tau = [None] * len(self.x)
        self.skipped_steps = 0
        self.clip = ClippingOracle(self.clip_threshold, self.clipping, self.x)

    @property
    def scope(self):
        threshold, clipping = self.clip.threshold, self.clip.clipping
        if threshold is None:
            return "coordinate"
        if clipping == "coordinate" and not thresholds.is_adaptive(threshold):
            return "coordinate"
        return "step" if clipping == "global" else "variable"

    def step_of(self, u, lr, k, *slots):
        """Returns what is taken off one variable, and its slots after that.

        `k` is the number of this update of the variable, 1 at first.
        """
        raise NotImplementedError

    def move(self, u, lr):
        """Moves x and the slots by clipped gradients; k counts this update."""
        moved = [
            # What is not given has no count at first, and does not move.
            self.step_of(u_i, lr, max(count, 1), *slots)
            for u_i, count, *slots in zip(
                u,
                self.counts,
                *(getattr(self, name) for name in self.slots),
                strict=True,
            )
        ]
        steps, *slots = map(list, zip(*moved, strict=True))
        self.x = [
            x - decay - step
            for x, decay, step in zip(
                self.x, self.decay(lr), steps, strict=True
            )
        ]
        for name, values in zip(self.slots, slots, strict=True):
            setattr(self, name, values)

    def decay(self, lr):
        """Returns what weight decay takes off each variable."""
        return [lr * (self.weight_decay or 0.0) * x for x in self.x]

    def step(self, gradients, learning_rate=None):
        lr = self.learning_rate if learning_rate is None else learning_rate
        given = [g_i is not None for g_i in gradients]
        g = [
            np.zeros_like(x) if g_i is None else np.array(g_i, np.float64)
            for g_i, x in zip(gradients, self.x, strict=True)
        ]
        own = [count + 1 for count in self.counts]
        with np.errstate(invalid="ignore", over="ignore"):
            u, moments, clipped, tau = self.clip(self.k + 1, own, g)
            by_coordinate = self.clip.clipping == "coordinate"
            good = _good(u if by_coordinate else g, self.scope)
        if not all(np.all(ok) for ok in good):
            self.skipped_steps += 1
            if self.scope == "step":
                return self.x

        self.k += 1
        whole = self.scope == "variable"
        self.counts = [
            count + (here and bool(np.all(ok) or not whole))
            for count, here, ok in zip(self.counts, given, good, strict=True)
        ]
        of_given = [c for c, here in zip(clipped, given, strict=True) if here]
        self.clip_fraction = np.mean(np.concatenate(of_given))
        self.clip_fractions = [
            np.mean(where) * here
            for where, here in zip(clipped, given, strict=True)
        ]
        self.tau = tau
        good = [ok & here for ok, here in zip(good, given, strict=True)]
        if self.clip.clipping == "global":
            self.clip.moments = moments
        else:
            self.clip.moments = [
                new if np.any(ok) else old
                for new, old, ok in zip(
                    moments, self.clip.moments, good, strict=True
                )
            ]
        names = ("x", *self.slots)
        before = [getattr(self, name) for name in names]
        u = [np.where(ok, u_i, 0.0) for ok, u_i in zip(good, u, strict=True)]
        self.move(u, lr)
        for name, olds in zip(names, before, strict=True):
            news = getattr(self, name)
            kept = zip(good, news, olds, strict=True)
            setattr(self, name, [np.where(*each) for each in kept])
        return self.x


def _good(gradients, scope):
    """Returns, for each variable, where no bad gradient stops it."""
    squares = [np.square(g) for g in gradients]
    if scope == "coordinate":
        return [np.isfinite(s) for s in squares]
    good = [np.isfinite(np.sum(s)) for s in squares]
    if scope == "step":
        good = [np.isfinite(sum(np.sum(s) for s in squares))] * len(good)
    return [np.full(g.shape, ok) for g, ok in zip(gradients, good, strict=True)]
