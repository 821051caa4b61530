"""GClip and CClip (Zhang et al. 2020, section 3.1) in NumPy float64."""

from tests.support.oracles.clipped import ClippedOracle
from tests.support.oracles.clipping import factor
from tests.support.oracles.clipping import norm


class _ClippedDescentOracle(ClippedOracle):
    slots = ("b",)
    clipping = None

    def __init__(
        self,
        variables,
        learning_rate=0.1,
        clip_threshold=1.0,
        momentum=0.0,
        projection_radius=None,
        weight_decay=None,
    ):
        super().__init__(
            variables,
            learning_rate,
            clip_threshold,
            self.clipping,
            weight_decay,
        )
        self.momentum = momentum
        self.projection_radius = projection_radius

    @property
    def scope(self):
        return "step" if self.projection_radius else super().scope

    def move(self, u, lr):
        self.b = [
            self.momentum * b - lr * u_i
            for b, u_i in zip(self.b, u, strict=True)
        ]
        self.x = [
            x - decay + b
            for x, decay, b in zip(self.x, self.decay(lr), self.b, strict=True)
        ]
        if self.projection_radius is not None:
            shorter = factor(self.projection_radius, norm(self.x))
            self.x = [shorter * x for x in self.x]


class GClipOracle(_ClippedDescentOracle):
    clipping = "global"


class CClipOracle(_ClippedDescentOracle):
    clipping = "coordinate"

    def __init__(self, variables, clip_threshold=0.1, **hyperparameters):
        super().__init__(
            variables, clip_threshold=clip_threshold, **hyperparameters
        )
