"""GClip and CClip (Zhang et al. 2020, section 3.1) in NumPy float64."""

from tests.support.oracles.clipped import ClippedOracle
from tests.support.oracles.clipping import factor
from tests.support.oracles.clipping import norm


class GClipOracle(ClippedOracle):
    defaults = {
        "learning_rate": 0.1,
        "clip_threshold": 1.0,
        "momentum": 0.0,
        "projection_radius": None,
    }
    slots = ("b",)

    @property
    def scope(self):
        return "step" if self.projection_radius else super().scope

    def step_of(self, u, lr, k, b):
        b = self.momentum * b - lr * u
        return -b, b

    def move(self, u, lr):
        super().move(u, lr)
        if self.projection_radius is not None:
            shorter = factor(self.projection_radius, norm(self.x))
            self.x = [shorter * x for x in self.x]


class CClipOracle(GClipOracle):
    defaults = {**GClipOracle.defaults, "clip_threshold": 0.1}
    clipping = "coordinate"
