"""Takes the steps of Keras 3 optimizers on any backend, as values."""

import keras
import numpy as np
from keras import ops

from keras_clip import clipping
from keras_clip.front_end.argument_docs import fill_in
from keras_clip.front_end.arguments import given
from keras_clip.front_end.front_end import FrontEnd
from keras_clip.front_end.overrides import check_overrides
from keras_clip.rules.rule import Rule
from keras_clip.sparse_gradients import densify
from keras_clip.step.pairing import checked
from keras_clip.step.pairing import once_each
from keras_clip.step.pairing import variable_path
from keras_clip.step.pairing import without_repeats
from keras_clip.step.pure_step import take
from keras_clip.step.state import State

_OVERRIDE_APPLY = (
    "Override `apply`, which is given all gradients, or `_clip_gradients`, "
    "which returns those to step by."
)


# Methods that Keras calls for its optimizers and not for these, on any
# backend, and what to do instead of overriding them.
NEVER_CALLED = {
    "update_step": _OVERRIDE_APPLY,
    "assign": "Override `apply`.",
    "assign_add": "Override `apply`.",
    "assign_sub": "Override `apply`.",
    "_apply_weight_decay": (
        "Use `weight_decay` and `exclude_from_weight_decay`."
    ),
}


class BaseClippingOptimizer(FrontEnd, keras.optimizers.Optimizer):
    """Runs a rule on each variable, on gradients that are already aggregated.

    Keras clips and decays before gradients are reduced over replicas
    (keras/src/optimizers/base_optimizer.py, 3.15.1). Here both come after. On
    JAX and torch the hook is `_backend_update_step`, which Keras calls with the
    gradients to step by, after accumulation. On TensorFlow a subclass hooks in
    earlier, at `_backend_apply_gradients`, where replicas are reduced. On torch
    one steps in place.

    An optimizer class has a `rule_class`, and an `__init__` whose parameters
    are the rule's hyperparameters and the arguments of all optimizers. It calls
    `_construct`, so that the class for tf_keras can use it too.
    """

    # Keras' trainers on JAX and torch call `apply` (keras 3.15.1).
    never_called = {**NEVER_CALLED, "apply_gradients": "Override `apply`."}

    gradients_argument = "grads"

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        check_overrides(cls, BaseClippingOptimizer, cls.never_called)
        cls.marked_doc = cls.__doc__
        cls.__doc__ = fill_in(cls, "keras")

    def _construct(self, names):
        """Initializes the optimizer from the `locals()` of its `__init__`."""
        arguments = given(names)
        self._split_arguments(arguments)
        super().__init__(**arguments)

    def build(self, variables):
        """Creates the optimizer's variables.

        Args:
            variables: List of the model's trainable variables.
        """
        if self.built:
            return
        # In `__dict__`, so that Keras does not track them.
        self.__dict__["_given_variables"] = list(variables)
        variables = without_repeats(variables, self._var_key)
        self._check_threshold_fits(variables)
        super().build(variables)
        overwritten = {
            index
            for index, variable in enumerate(variables)
            if self._overwrite_variable_with_gradient(variable)
        }
        self._build_state(variables, stateless=overwritten)

    def apply(self, grads, trainable_variables=None):
        """Updates variables by their gradients.

        Args:
            grads: List of gradients, dense or sparse, `None` for variables
                without one. Those of a variable that occurs twice are summed.
            trainable_variables: List of variables. Defaults to `None`: those
                that the optimizer was built with.

        Raises:
            ValueError: If there are more or fewer gradients than variables, or
                if one does not have the shape of its variable.
        """
        if trainable_variables is None and self.built:
            trainable_variables = self._trainable_variables
            if self._has_repeats(grads):
                trainable_variables = self._given_variables
        if trainable_variables is not None:
            grads, trainable_variables = once_each(
                self.gradients_argument, grads, trainable_variables
            )
            if self.gradient_accumulation_steps:
                # Accumulation would broadcast a wrong shape to the right one.
                grads = checked(
                    self.gradients_argument, grads, trainable_variables
                )
            if trainable_variables and not self.built:
                self.build(trainable_variables)
            grads = self._densified(grads, trainable_variables)
        self._undo_if_skipped(
            self._changed_by_keras() if self.built else [],
            lambda: super(BaseClippingOptimizer, self).apply(
                grads, trainable_variables
            ),
        )

    def stateless_apply(self, optimizer_variables, grads, trainable_variables):
        """Returns the values of all variables after a step by `apply`.

        Args:
            optimizer_variables: List of the values of `variables`.
            grads: List of gradients, as for `apply`.
            trainable_variables: List of the values of the variables that the
                optimizer was built with, including repeated ones.

        Returns:
            Tuple of the lists of the variables' and of the optimizer's values.
        """
        if not self.built or not self._has_repeats(trainable_variables):
            return super().stateless_apply(
                optimizer_variables, grads, trainable_variables
            )
        given = self._given_variables
        grads, variables = once_each(self.gradients_argument, grads, given)
        values = dict(zip(map(id, given), trainable_variables, strict=True))
        moved, optimizer_variables = super().stateless_apply(
            optimizer_variables, grads, [values[id(v)] for v in variables]
        )
        moved = dict(zip(map(id, variables), moved, strict=True))
        return [moved[id(v)] for v in given], optimizer_variables

    def _has_repeats(self, values):
        """Returns whether there is a value for each repeated variable too."""
        given = len(self._given_variables)
        return len(values) == given > len(self._trainable_variables)

    def get_config(self):
        """Returns the arguments that make an optimizer like this one."""
        return {**super().get_config(), **self._own_config()}

    def update_step(self, gradient, variable, learning_rate):
        """Raises an error: a step moves all variables together.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(
            "`update_step` must not be called: a step moves all variables "
            "together. Call `apply([gradient], [variable])` to step by one. "
            f"Received: variable={variable_path(variable)!r}"
        )

    def _backend_update_step(self, grads, trainable_variables, learning_rate):
        """Takes a step with aggregated gradients."""
        self._note_monitoring()
        call = Rule.__call__
        if self.jit_compile and keras.backend.backend() == "jax":
            from keras_clip.optimizers.compiled_on_jax import (
                compiled_call as call,
            )
        part = self._part_of(trainable_variables)
        slots, scalars = self._slots_of(part), self._read_scalars()
        values, state = take(
            self.step_settings,
            [variable.value for variable in trainable_variables],
            State([[slot.value for slot in group] for group in slots], scalars),
            checked(self.gradients_argument, grads, trainable_variables),
            learning_rate,
            part,
            call,
        )
        for variable, value in zip(trainable_variables, values, strict=True):
            variable.assign(value)
        for group, values in zip(slots, state.slots, strict=True):
            for slot, value in zip(group, values, strict=True):
                slot.assign(value)
        self._assign_scalars(scalars, state.scalars)

    def _densified(self, grads, trainable_variables):
        """Returns dense gradients, `None` for variables without one.

        Keras first divides by the loss scale and adds micro-batches up, but
        sparse gradients do not support both operations.
        """
        return [
            g if g is None else densify(g, v.shape)
            for g, v in zip(grads, trainable_variables, strict=True)
        ]

    def _changed_by_keras(self):
        """Returns the variables that Keras changes after the rule."""
        averages = []
        if self.use_ema:
            averages = self._model_variables_moving_average
        return [
            *(average for average in averages if average is not None),
            *(
                variable
                for variable in self._trainable_variables
                if variable.constraint is not None
                or (self.use_ema and self.ema_overwrite_frequency)
            ),
        ]

    def _update_model_variables_moving_average(self, trainable_variables):
        """Starts the averages at the first update that is not skipped.

        Keras starts them at the first step (keras 3.15.1). If that step is
        skipped, they stay at zero, and later steps do not correct that.
        """
        if not self.use_ema:
            return
        started = ops.greater(self._value(self.update_count), 1)
        for variable, average in zip(
            trainable_variables,
            self._model_variables_moving_average,
            strict=True,
        ):
            if average is not None:
                momentum = self.ema_momentum * ops.cast(started, average.dtype)
                average.assign(
                    momentum * self._value(average)
                    + (1 - momentum) * self._value(variable)
                )

    def add_variable(self, *args, name=None, **kwargs):
        """Adds a variable with a unique name."""
        name = self._unique_name(name or "variable")
        return super().add_variable(*args, name=name, **kwargs)

    def _assign_all(self, variables, values):
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    def _index(self, variable):
        return self._get_variable_index(variable)

    def _value(self, variable):
        return variable.value

    def _add_shared(self, name, value, dtype):
        return self.add_variable(
            np.shape(value),
            dtype=dtype,
            initializer=_constant(value),
            aggregation="only_first_replica",
            name=name,
        )

    def _add_slot(self, variable, name, value):
        return self.add_variable(
            variable.shape,
            dtype=clipping.working_dtype_of(variable),
            initializer=_constant(value),
            layout=getattr(variable, "_layout", None),
            name=f"{variable_path(variable).replace('/', '_')}_{name}",
        )


def _constant(value):
    """Returns an initializer that is exact in float64, unlike that of Keras.

    In a graph what is large is computed: it would take seconds and gigabytes to
    keep it there as a constant.
    """

    def initial(shape, dtype):
        number = ops.convert_to_tensor(np.asarray(value, dtype))
        return ops.zeros(shape, dtype=dtype) + number

    return initial
