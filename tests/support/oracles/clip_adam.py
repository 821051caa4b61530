"""Clip-Adam (Chezhegov et al. 2025, experiments) in NumPy float64."""

import numpy as np

from tests.support.oracles.clipped import ClippedOracle


class ClipAdamOracle(ClippedOracle):
    """Holds m and v; with a delay of 1, the step is by v before its update."""

    slots = ("m", "v")

    def __init__(
        self,
        variables,
        learning_rate=1e-3,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        clip_threshold=1.0,
        clipping="global",
        delay=0,
        initial_accumulator_value=None,
        weight_decay=None,
    ):
        super().__init__(
            variables, learning_rate, clip_threshold, clipping, weight_decay
        )
        if initial_accumulator_value is None:
            initial_accumulator_value = 1e-5 if delay else 0.0
        self.v = [np.full_like(x, initial_accumulator_value) for x in self.x]
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.delay = delay

    def move(self, u, lr):
        b1, b2 = self.beta_1, self.beta_2
        decay, v_before = self.decay(lr), self.v
        self.m = [
            b1 * m + (1 - b1) * u_i for m, u_i in zip(self.m, u, strict=True)
        ]
        self.v = [
            b2 * v + (1 - b2) * u_i**2 for v, u_i in zip(self.v, u, strict=True)
        ]
        if self.delay:
            v_of_step, corrections = v_before, [1.0] * len(self.x)
        else:
            v_of_step = self.v
            # What is not given has no count at first, and does not move.
            corrections = [
                np.sqrt(1 - b2**k) / (1 - b1**k)
                for k in (max(count, 1) for count in self.counts)
            ]
        self.x = [
            x - d - lr * correction * m / (np.sqrt(v) + self.epsilon)
            for x, d, correction, m, v in zip(
                self.x, decay, corrections, self.m, v_of_step, strict=True
            )
        ]
