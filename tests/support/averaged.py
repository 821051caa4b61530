"""Records what LinearAverage should average: weights before every step."""

import numpy as np


def make_average(front_end, **arguments):
    return front_end.callbacks.LinearAverage(**arguments)


class Recorder:
    """Makes a callback that keeps the weights before and after every step."""

    def __new__(cls, front_end):
        class Recorder(front_end.framework.callbacks.Callback):
            def __init__(self):
                super().__init__()
                self.before = []
                self.after = []

            def on_train_batch_begin(self, batch, logs=None):
                # A model without `Input` has no weights before its first step.
                if self.model.built:
                    self.before.append(self._weights())

            def on_train_batch_end(self, batch, logs=None):
                self.after.append(self._weights())

            def _weights(self):
                weights = self.model.get_weights()
                return [np.array(weight, "float64") for weight in weights]

        return Recorder()


def expected_averages(befores):
    """Returns `Σ j·x_{j−1} / Σ j` of lists of arrays."""
    weights = np.arange(1, len(befores) + 1)
    return [
        np.tensordot(weights, np.stack(xs), 1) / weights.sum()
        for xs in zip(*befores, strict=True)
    ]


def assert_averages(average, befores):
    actual, expected = average.averages, expected_averages(befores)
    assert len(actual) == len(expected)
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-5, atol=1e-6)
