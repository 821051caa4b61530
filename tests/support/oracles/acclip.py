"""ACClip (Zhang et al. 2020, Algorithm 1) in NumPy float64."""

import numpy as np


class ACClipOracle:
    """Holds x, m, tau^alpha and v of one variable and moves them a step."""

    def __init__(
        self,
        x,
        learning_rate=1e-3,
        beta_1=0.9,
        beta_2=0.99,
        epsilon=1e-5,
        alpha=1.0,
        step_scaling="rms",
        bias_correction=False,
        weight_decay=1e-5,
    ):
        self.x = np.array(x, np.float64)
        self.m = np.zeros_like(self.x)
        self.tau_alpha = np.zeros_like(self.x)
        self.v = np.zeros_like(self.x)
        self.k = 0
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.alpha = alpha
        self.step_scaling = step_scaling
        self.bias_correction = bias_correction
        self.weight_decay = weight_decay or 0.0

    def step(self, gradient, learning_rate=None):
        g = np.array(gradient, np.float64)
        lr = self.learning_rate if learning_rate is None else learning_rate
        b1, b2, eps = self.beta_1, self.beta_2, self.epsilon
        good = np.isfinite(g)
        before = (self.x, self.m, self.tau_alpha, self.v)
        g = np.where(good, g, 0.0)
        self.k += 1

        self.m = b1 * self.m + (1 - b1) * g
        self.tau_alpha = (
            b2 * self.tau_alpha + (1 - b2) * np.abs(g) ** self.alpha
        )
        self.v = b2 * self.v + (1 - b2) * g**2

        m, tau_alpha, v = self.m, self.tau_alpha, self.v
        if self.bias_correction:
            m = m / (1 - b1**self.k)
            tau_alpha = tau_alpha / (1 - b2**self.k)
            v = v / (1 - b2**self.k)
        tau = tau_alpha ** (1 / self.alpha)
        clipped = np.minimum(tau / (np.abs(m) + eps), 1.0) * m

        if self.step_scaling == "rms":
            eta = lr / (np.sqrt(b2 * v) + eps)
        elif self.step_scaling == "threshold":
            eta = lr / (tau + eps)
        else:
            eta = lr
        self.x = self.x - lr * self.weight_decay * self.x - eta * clipped

        # A coordinate whose gradient is NaN or infinite stays as it was.
        after = (self.x, self.m, self.tau_alpha, self.v)
        self.x, self.m, self.tau_alpha, self.v = (
            np.where(good, new, old)
            for new, old in zip(after, before, strict=True)
        )
        return self.x
