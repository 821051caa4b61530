"""Clip-AdaGrad (Chezhegov et al. 2025, experiments) in NumPy float64."""

import numpy as np

from tests.support.oracles.clipped import ClippedOracle


class ClipAdaGradOracle(ClippedOracle):
    """Holds m and v; with a delay of 1, the step is by v before its update."""

    defaults = {
        "learning_rate": 0.1,
        "beta_1": 0.0,
        "initial_accumulator_value": None,
        "epsilon": 1e-7,
        "clip_threshold": 1.0,
        "clipping": "global",
        "delay": 0,
    }
    slots = ("m", "v")

    def __init__(self, variables, **hyperparameters):
        super().__init__(variables, **hyperparameters)
        start = self.initial_accumulator_value
        if start is None:
            start = 1e-5 if self.delay else 0.1
        self.v = [np.full_like(x, start) for x in self.x]

    def step_of(self, u, lr, k, m, v):
        m = self.beta_1 * m + (1 - self.beta_1) * u
        v_before, v = v, v + u**2
        v_of_step = v_before if self.delay else v
        return lr * m / np.sqrt(v_of_step + self.epsilon), m, v
