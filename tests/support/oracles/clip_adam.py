"""Clip-Adam (Chezhegov et al. 2025, experiments) in NumPy float64."""

import numpy as np

from tests.support.oracles.clipped import ClippedOracle


class ClipAdamOracle(ClippedOracle):
    """Holds m and v; with a delay of 1, the step is by v before its update."""

    defaults = {
        "learning_rate": 1e-3,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-7,
        "clip_threshold": 1.0,
        "clipping": "global",
        "delay": 0,
        "initial_accumulator_value": None,
    }
    slots = ("m", "v")

    def __init__(self, variables, **hyperparameters):
        super().__init__(variables, **hyperparameters)
        start = self.initial_accumulator_value
        if start is None:
            start = 1e-5 if self.delay else 0.0
        self.v = [np.full_like(x, start) for x in self.x]

    def step_of(self, u, lr, k, m, v):
        b1, b2 = self.beta_1, self.beta_2
        m = b1 * m + (1 - b1) * u
        v_before, v = v, b2 * v + (1 - b2) * u**2
        if self.delay:
            return lr * m / (np.sqrt(v_before) + self.epsilon), m, v
        correction = np.sqrt(1 - b2**k) / (1 - b1**k)
        return lr * correction * m / (np.sqrt(v) + self.epsilon), m, v
