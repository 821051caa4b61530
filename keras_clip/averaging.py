"""The average that strongly convex theorems speak of, for either framework."""

import numpy as np
from keras import ops

from keras_clip import clipping


class LinearAveraging:
    """A mixin for callbacks: averages parameters, the later the heavier.

    `x̄_k = Σ j·x_{j−1} / Σ j` over the updates j = 1, …, k, kept up as
    `x̄_k = x̄_{k−1} + 2 / (k + 1) · (x_{k−1} − x̄_{k−1})` on the device.
    """

    def __init__(self):
        super().__init__()
        self._averages = None
        self._start = 0
        self._k = 0

    def on_train_begin(self, logs=None):
        """Checks that every step can be seen."""
        model = self.model
        steps = getattr(model, "steps_per_execution", None)
        # A property of Keras 3; tf_keras 2.20.1 has a variable.
        steps = int(model._steps_per_execution if steps is None else steps)
        if steps > 1:
            raise ValueError(
                "`steps_per_execution` must be 1 for an average over all steps."
                f" Received: steps_per_execution={steps}"
            )
        if self._averages is None:
            self._start = int(np.asarray(_updates(model.optimizer)))

    def on_train_batch_begin(self, batch, logs=None):
        """Adds the parameters before the update that comes."""
        model = self.model
        variables = model.trainable_variables
        values = [
            ops.cast(ops.convert_to_tensor(v), clipping.working_dtype_of(v))
            for v in variables
        ]
        if self._averages is None:
            self._averages = [ops.zeros_like(value) for value in values]
        # A step that is skipped or only accumulates is not counted again.
        k = _updates(model.optimizer) - self._start + 1
        is_new = ops.not_equal(k, self._k)
        self._k = k
        weight = ops.where(is_new, 2.0 / (ops.cast(k, "float32") + 1.0), 0.0)
        self._averages = [
            average + ops.cast(weight, value.dtype) * (value - average)
            for average, value in zip(self._averages, values, strict=True)
        ]

    @property
    def averages(self) -> list[np.ndarray]:
        """The average of each trainable variable, in the model's order.

        Raises:
            ValueError: Before the first step.
        """
        if self._averages is None:
            raise ValueError(
                "`averages` must be read after a step. Received: 0 steps"
            )
        return [ops.convert_to_numpy(average) for average in self._averages]

    def assign_averages(self):
        """Assigns the averages to the model's trainable variables."""
        for variable, average in zip(
            self.model.trainable_variables, self.averages, strict=True
        ):
            variable.assign(average)


def _updates(optimizer):
    """Returns how many updates were made, as a tensor or a number."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    count = getattr(optimizer, "update_count", None)
    if count is None:
        count = optimizer.iterations
    return ops.convert_to_tensor(count)
