"""Adam (Kingma and Ba 2015, Algorithm 1) in NumPy float64."""

import numpy as np


class AdamOracle:
    """Adam of one variable, with or without the correction of the moments."""

    def __init__(
        self, x, learning_rate, beta_1, beta_2, epsilon, bias_correction
    ):
        self.x = np.array(x, np.float64)
        self.m = np.zeros_like(self.x)
        self.v = np.zeros_like(self.x)
        self.k = 0
        self.learning_rate = learning_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.bias_correction = bias_correction

    def step(self, gradient, learning_rate=None):
        g = np.array(gradient, np.float64)
        lr = self.learning_rate if learning_rate is None else learning_rate
        self.k += 1
        self.m = self.beta_1 * self.m + (1 - self.beta_1) * g
        self.v = self.beta_2 * self.v + (1 - self.beta_2) * g**2
        m, v = self.m, self.v
        if self.bias_correction:
            m = m / (1 - self.beta_1**self.k)
            v = v / (1 - self.beta_2**self.k)
        self.x = self.x - lr * m / (np.sqrt(v) + self.epsilon)
        return self.x
