"""Gradient descent with heavy-ball momentum as in Keras, in NumPy float64."""

import numpy as np


class SGDOracle:
    """Gradient descent of one variable."""

    def __init__(self, x, learning_rate, momentum=0.0):
        self.x = np.array(x, np.float64)
        self.b = np.zeros_like(self.x)
        self.learning_rate = learning_rate
        self.momentum = momentum

    def step(self, gradient, learning_rate=None):
        g = np.array(gradient, np.float64)
        lr = self.learning_rate if learning_rate is None else learning_rate
        self.b = self.momentum * self.b - lr * g
        self.x = self.x + self.b
        return self.x
