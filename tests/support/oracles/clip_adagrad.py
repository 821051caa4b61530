"""Clip-AdaGrad (Chezhegov et al. 2025, experiments) in NumPy float64."""

import numpy as np

from tests.support.oracles.clipped import ClippedOracle


class ClipAdaGradOracle(ClippedOracle):
    """Holds m and v; with a delay of 1, the step is by v before its update."""

    slots = ("m", "v")

    def __init__(
        self,
        variables,
        learning_rate=0.1,
        beta_1=0.0,
        initial_accumulator_value=None,
        epsilon=1e-7,
        clip_threshold=1.0,
        clipping="global",
        delay=0,
        weight_decay=None,
    ):
        super().__init__(
            variables, learning_rate, clip_threshold, clipping, weight_decay
        )
        if initial_accumulator_value is None:
            initial_accumulator_value = 1e-5 if delay else 0.1
        self.v = [np.full_like(x, initial_accumulator_value) for x in self.x]
        self.beta_1 = beta_1
        self.epsilon = epsilon
        self.delay = delay

    def move(self, u, lr):
        b1, decay, v_before = self.beta_1, self.decay(lr), self.v
        self.m = [
            b1 * m + (1 - b1) * u_i for m, u_i in zip(self.m, u, strict=True)
        ]
        self.v = [v + u_i**2 for v, u_i in zip(self.v, u, strict=True)]
        v_of_step = v_before if self.delay else self.v
        self.x = [
            x - d - lr * m / np.sqrt(v + self.epsilon)
            for x, d, m, v in zip(self.x, decay, self.m, v_of_step, strict=True)
        ]
