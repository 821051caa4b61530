"""AdaGrad (Duchi et al. 2011, diagonal) as in Keras, in NumPy float64."""

import numpy as np


class AdagradOracle:
    """AdaGrad of one variable; epsilon is within the root."""

    def __init__(self, x, learning_rate, initial_accumulator_value, epsilon):
        self.x = np.array(x, np.float64)
        self.sum = np.full_like(self.x, initial_accumulator_value)
        self.learning_rate = learning_rate
        self.epsilon = epsilon

    def step(self, gradient, learning_rate=None):
        g = np.array(gradient, np.float64)
        lr = self.learning_rate if learning_rate is None else learning_rate
        self.sum = self.sum + g**2
        self.x = self.x - lr * g / np.sqrt(self.sum + self.epsilon)
        return self.x
