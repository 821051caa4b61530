"""Averages parameters as theorems on strongly convex functions require."""

import numpy as np
from keras import ops

from keras_clip import clipping


class BaseLinearAverage:
    """Averages parameters with linear weights, as a mixin for callbacks.

    `x̄_k = Σ j·x_{j−1} / Σ j` over the updates j = 1, …, k, computed as
    `x̄_k = x̄_{k−1} + 2 / (k + 1) · (x_{k−1} − x̄_{k−1})` on the device.
    """

    def __init__(self, optimizer=None):
        super().__init__()
        if optimizer is not None and not hasattr(optimizer, "iterations"):
            raise ValueError(
                "`optimizer` must be one optimizer or None; use a callback for "
                "each of several. "
                f"Received: optimizer={optimizer!r}"
            )
        self._optimizer = optimizer
        self._begins = False
        # The optimizer whose updates are counted, and the variables it trains.
        # Until it is built they are not known, and are all those of the model.
        self._counted = None
        self._variables = []
        self._is_known = False
        self._averages = []
        # The rounding errors of the averages.
        self._errors = []
        # The largest number of updates in a batch.
        self._most = 0
        # The parameters before a step, which may turn out to be an update.
        self._pending = []

    def on_train_begin(self, logs=None):
        """Checks that every step can be seen."""
        model = self.model
        steps = getattr(model, "steps_per_execution", None)
        # It is a property in Keras 3. In tf_keras 2.20.1 it is a variable that
        # `int` rejects on replicas, or missing before the model is compiled.
        steps = model._steps_per_execution if steps is None else steps
        steps = 1 if steps is None else int(ops.cast(steps, "int32"))
        if getattr(model, "_autotune_steps_per_execution", False):
            steps = "auto"
        if steps != 1:
            raise ValueError(
                "`steps_per_execution` must be 1 for an average over all steps."
                f" Received: steps_per_execution={steps}"
            )
        if self._optimizer_of(model) is None:
            raise ValueError(
                "`optimizer` must be given for a model that is compiled "
                "without one. Received: optimizer=None"
            )
        self._begins = True

    def on_train_batch_begin(self, batch, logs=None):
        """Stores the parameters before the next update."""
        # On JAX, this copies the state to the variables.
        model = self.model
        if self._begins or not self._is_known:
            self._choose_variables(model)
        self._add_pending()
        values = _values(self._variables)
        self._check_that_updates_count(values)
        # Copies: JAX donates the arrays to the step, torch writes to them.
        self._pending = [ops.copy(value) for value in values]
        self._begins = False

    def on_epoch_end(self, epoch, logs=None):
        """Rejects an optimizer that took no step, or several in a batch."""
        self._check_that_updates_are_seen()
        if self._optimizer is None or self._is_known:
            return
        self._choose_variables(self.model)
        if not self._is_known:
            raise ValueError(
                "`optimizer` must be the optimizer that the model is trained "
                "with: this one has taken no step in an epoch. "
                f"Received: optimizer={self._optimizer!r}"
            )

    def on_train_end(self, logs=None):
        """Adds the last update."""
        # On JAX, this copies the state to the variables.
        model = self.model
        if not self._is_known:
            self._choose_variables(model)
        self._add_pending()
        self._check_that_updates_are_seen()
        self._check_that_updates_count(_values(self._variables))
        self._pending = []

    @property
    def averages(self) -> list[np.ndarray]:
        """Returns the average of each trained variable, in the model's order.

        They belong to the last training with this callback, even if the model
        has other trainable variables now.

        Raises:
            ValueError: Before the first update.
        """
        # On JAX, this copies the state to the variables.
        model = self.model
        if self._counted is not None:
            if not self._is_known:
                self._choose_variables(model)
            self._add_pending()
        if not self._averages or not int(self._k):
            raise ValueError(
                "`averages` must be read after a step by `optimizer` on "
                "variables that were there before it. Received: 0 steps"
            )
        return [ops.convert_to_numpy(average) for average in self._averages]

    def assign_averages(self):
        """Assigns the averages to their variables."""
        averages = self.averages
        for variable, average in zip(self._variables, averages, strict=True):
            variable.assign(average)

    def _optimizer_of(self, model):
        if self._optimizer is not None:
            return self._optimizer
        return getattr(model, "optimizer", None)

    def _choose_variables(self, model):
        """Continues the average, or starts another one for other variables."""
        optimizer = self._optimizer_of(model)
        variables, is_known = _trained_variables(model, optimizer)
        places = {id(v): place for place, v in enumerate(self._variables)}
        found = [places[id(v)] for v in variables if id(v) in places]
        continues = (
            optimizer is self._counted
            and len(found) == len(variables)
            # It had more variables only while they were not known.
            and (not self._is_known or len(found) == len(places))
        )
        self._is_known = is_known
        self._variables = variables
        if continues:
            self._averages = [self._averages[place] for place in found]
            self._errors = [self._errors[place] for place in found]
            if self._pending:
                self._pending = [self._pending[place] for place in found]
            return
        self._counted = optimizer
        self._averages = [ops.zeros_like(value) for value in _values(variables)]
        self._errors = [ops.zeros_like(value) for value in _values(variables)]
        self._pending = []
        self._k = ops.zeros((), "int32")
        self._most = 0
        self._count = _updates(optimizer)
        self._has_updates = False

    def _add_pending(self):
        """Adds the parameters before the last step if it was an update."""
        # Steps that are skipped or only accumulate are no updates.
        count, before = _updates(self._counted), self._count
        is_update = ops.not_equal(count, before)
        self._count = count
        if not self._pending:
            return
        self._most = ops.maximum(self._most, count - before)
        self._k = self._k + ops.cast(is_update, "int32")
        weight = 2.0 / (ops.cast(self._k, "float32") + 1.0)
        weight = ops.where(is_update, weight, 0.0)
        moved = [
            moved_average(average, error, value, ops.cast(weight, value.dtype))
            for average, error, value in zip(
                self._averages, self._errors, self._pending, strict=True
            )
        ]
        self._averages, self._errors = map(list, zip(*moved, strict=True))

    def _check_that_updates_are_seen(self):
        """Raises if a batch had several updates, which are seen as one."""
        if int(self._most) > 1:
            raise ValueError(
                "`optimizer` must make at most one update per batch, as the "
                "parameters between updates are not known. Received: "
                f"{int(self._most)} updates in a batch"
            )

    def _check_that_updates_count(self, values):
        """Raises if parameters have changed without a step of the optimizer.

        It waits for the device until the first update has been counted.
        """
        # Other optimizers may change variables that this one does not train.
        can_tell = self._is_known or self._optimizer is None
        if self._has_updates or not self._pending or not can_tell:
            return
        self._has_updates = bool(self._k)
        if not self._has_updates and any(
            bool(ops.any(ops.abs(value - before) > 0))
            for value, before in zip(values, self._pending, strict=True)
        ):
            raise ValueError(
                "`optimizer` must be the optimizer that the model is trained "
                "with: its parameters have moved without a step of this one. "
                f"Received: optimizer={self._counted!r}"
            )


def moved_average(average, error, value, weight):
    """Returns an average moved towards a value, and its error.

    After millions of updates a step is less than half a unit in the last place
    of the average, and would be lost: the error accumulates such steps, as in
    Kahan summation.

    Args:
        average: Tensor.
        error: Tensor like `average`, its rounding error.
        value: Tensor like `average`.
        weight: Scalar tensor, the weight of the value.

    Returns:
        Tuple of the average and its error.
    """
    step = weight * (value - average) - error
    after = average + step
    return after, (after - average) - step


def _inner(optimizer):
    """Returns the optimizer that a `LossScaleOptimizer` holds, or itself."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def _updates(optimizer):
    """Returns the number of updates so far, as a tensor."""
    optimizer = _inner(optimizer)
    # A `MultiOptimizer` of Keras 3 also counts steps that are no updates.
    several = getattr(optimizer, "optimizers", [optimizer])
    counts = [
        getattr(each, "update_count", each.iterations) for each in several
    ]
    # A sum of one count is a new array too: see `on_train_batch_begin`.
    return sum(
        (ops.cast(ops.convert_to_tensor(count), "int32") for count in counts),
        start=ops.zeros((), "int32"),
    )


def _values(variables):
    """Returns the values of variables in their working dtypes."""
    return [
        ops.stop_gradient(
            ops.cast(ops.convert_to_tensor(v), clipping.working_dtype_of(v))
        )
        for v in variables
    ]


def _trained_variables(model, optimizer):
    """Returns the variables that an optimizer trains, and if they are known.

    An optimizer that is not built may train all variables of the model.
    """
    try:
        variables = list(model.trainable_variables)
    except ValueError:
        # Before a model is built tf_keras raises here, and Keras 3 has an empty
        # list (tf_keras/src/engine/training.py, 2.20.1).
        variables = []
    optimizer = _inner(optimizer)
    if not hasattr(optimizer, "_var_key"):
        # Legacy optimizers of tf_keras train all variables they receive.
        return variables, True
    # Keras 3 has one of these attributes, tf_keras the other.
    known = getattr(optimizer, "_trainable_variables_indices", None)
    known = known or getattr(optimizer, "_index_dict", None)
    if not known or not variables:
        return variables, False
    trained = [v for v in variables if optimizer._var_key(v) in known]
    if not trained:
        raise ValueError(
            "`optimizer` must train variables of the model. "
            f"Received: optimizer={optimizer!r}"
        )
    return trained, True
