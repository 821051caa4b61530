"""Clip-Adam-Norm, Clip-AdaGrad-Norm (Chezhegov et al. 2025, Algorithm 2)."""

import numpy as np

from tests.support.oracles.clipped import ClippedOracle
from tests.support.oracles.clipping import norm


class _ClipNormOracle(ClippedOracle):
    """Holds m, and of the scalar b all values from b_0 on.

    Without an `initial_accumulator` they are `None` until a gradient is not
    zero, and b_0 is then that gradient's norm once clipped.
    """

    defaults = {
        "clip_threshold": 1.0,
        "delay": 0,
        "initial_accumulator": None,
        "accumulator_scale": 1.0,
        "bias_correction": False,
    }
    slots = ("m",)
    scope = "step"

    def __init__(self, variables, **hyperparameters):
        super().__init__(variables, **hyperparameters)
        self.b = [self.initial_accumulator]

    def accumulate(self, b_squared, u_squared):
        raise NotImplementedError

    def corrected(self, b):
        raise NotImplementedError

    def move(self, u, lr):
        k, beta_1 = self.k, self.beta_1
        decay = self.decay(lr)
        self.x = [x - d for x, d in zip(self.x, decay, strict=True)]

        length = norm(u)
        if self.b[0] is None and length > 0:
            self.b = [length] * k
        if self.b[0] is None:
            self.b.append(None)
            return
        u_squared = self.accumulator_scale * length**2
        self.b.append(np.sqrt(self.accumulate(self.b[k - 1] ** 2, u_squared)))
        b = self.b[max(k - self.delay, 0)]

        self.m = [
            beta_1 * m + (1 - beta_1) * u_i
            for m, u_i in zip(self.m, u, strict=True)
        ]
        m = self.m
        if self.bias_correction:
            m = [
                m_i / (1 - beta_1 ** max(count, 1))
                for m_i, count in zip(m, self.counts, strict=True)
            ]
            b = self.corrected(b)
        self.x = [x - lr / b * m_i for x, m_i in zip(self.x, m, strict=True)]


class ClipAdamNormOracle(_ClipNormOracle):
    """b² is a moving average."""

    defaults = {
        **_ClipNormOracle.defaults,
        "learning_rate": 0.1,
        "beta_1": 0.9,
        "beta_2": 0.999,
    }

    def accumulate(self, b_squared, u_squared):
        return self.beta_2 * b_squared + (1 - self.beta_2) * u_squared

    def corrected(self, b):
        return b / np.sqrt(1 - self.beta_2**self.k)


class ClipAdaGradNormOracle(_ClipNormOracle):
    """b² is a sum, which has no bias to correct."""

    defaults = {
        **_ClipNormOracle.defaults,
        "learning_rate": 1.0,
        "beta_1": 0.0,
    }

    def accumulate(self, b_squared, u_squared):
        return b_squared + u_squared

    def corrected(self, b):
        return b
