"""Takes the steps of tf_keras optimizers."""

import inspect

import tensorflow as tf
import tf_keras

from keras_clip import clipping
from keras_clip.front_end.argument_docs import fill_in
from keras_clip.front_end.argument_docs import translated
from keras_clip.front_end.arguments import given
from keras_clip.front_end.front_end import FrontEnd
from keras_clip.front_end.overrides import check_overrides
from keras_clip.on_tensorflow.replicas import assign_on_replicas
from keras_clip.on_tensorflow.rows import dense_or_rows
from keras_clip.on_tensorflow.steps import Held
from keras_clip.on_tensorflow.steps import Steps
from keras_clip.on_tensorflow.steps import value_of
from keras_clip.sparse_gradients import densify
from keras_clip.sparse_gradients import with_dense_shape
from keras_clip.step.keras_clipping import clipped_on_replica
from keras_clip.step.pairing import once_each
from keras_clip.step.pairing import variable_path
from keras_clip.step.pairing import without_repeats

_OVERRIDE_APPLY_GRADIENTS = (
    "Override `apply_gradients`, which is given all gradients, or "
    "`_clip_gradients`, which returns those to step by."
)


_NOT_IN_TF_KERAS = ("loss_scale_factor", "gradient_accumulation_steps")


class ClippingOptimizer(FrontEnd, tf_keras.optimizers.Optimizer):
    """Runs a rule on each variable, on gradients that are already aggregated.

    `like` derives the classes from those for Keras 3.
    """

    # Methods that tf_keras calls for its optimizers and not for these.
    never_called = {
        "update_step": _OVERRIDE_APPLY_GRADIENTS,
        "_update_step": _OVERRIDE_APPLY_GRADIENTS,
        "_update_step_xla": _OVERRIDE_APPLY_GRADIENTS,
        "_distributed_apply_gradients_fn": _OVERRIDE_APPLY_GRADIENTS,
        "_apply_weight_decay": (
            "Use `weight_decay` and `exclude_from_weight_decay`."
        ),
    }

    gradients_argument = "grads_and_vars"

    _tensorflow_steps: Steps

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        check_overrides(cls, ClippingOptimizer, cls.never_called)
        cls.__doc__ = fill_in(cls, "tf_keras")

    @classmethod
    def like(cls, keras_class: type) -> type:
        """Returns a class with the arguments of a class for Keras 3.

        Args:
            keras_class: The class for Keras 3.
        """

        signature = _signature_for_tf_keras(keras_class.__init__)

        def __init__(self, *args, **kwargs):
            arguments = signature.bind(self, *args, **kwargs).arguments
            more = arguments.pop("kwargs", {})
            keras_class.__init__(**arguments, **more)

        __init__.__signature__ = signature
        __init__.__annotations__ = {
            name: parameter.annotation
            for name, parameter in signature.parameters.items()
            if parameter.annotation is not parameter.empty
        }
        made = type(
            keras_class.__name__,
            (cls,),
            {
                "__init__": __init__,
                "__doc__": translated(
                    keras_class.marked_doc, keras_class.__name__
                ),
                "__module__": "keras_clip.tf_keras",
                "rule_class": keras_class.rule_class,
            },
        )
        register = tf_keras.saving.register_keras_serializable("keras_clip")
        return register(made)

    def _construct(self, names):
        """Initializes the optimizer from the `locals()` of its `__init__`."""
        arguments = given(names)
        for argument in _NOT_IN_TF_KERAS:
            value = arguments.pop(argument, None)
            if value is not None:
                raise ValueError(
                    f"`{argument}` must be None in tf_keras; use "
                    f"`keras_clip.{type(self).__name__}` with Keras 3. "
                    f"Received: {argument}={value}"
                )
        self._split_arguments(arguments)
        learning_rate = arguments.pop("learning_rate")
        jit_compile = self.jit_compile
        arguments["name"] = arguments["name"] or type(self).__name__
        super().__init__(jit_compile=False, **arguments)
        self.jit_compile = jit_compile
        self._learning_rate = self._build_learning_rate(learning_rate)

    def build(self, var_list):
        """Creates the optimizer's variables.

        Args:
            var_list: List of the model's trainable variables.
        """
        if getattr(self, "_built", False):
            return
        var_list = without_repeats(var_list, self._var_key)
        self._check_threshold_fits(var_list)
        super().build(var_list)
        self._build_state(var_list)
        # In `__dict__`, so that TensorFlow does not track it.
        self.__dict__["_tensorflow_steps"] = Steps()
        self._built = True

    # AutoGraph has nothing to convert here, but a fifth of the tracing time.
    @tf.autograph.experimental.do_not_convert
    def apply_gradients(self, grads_and_vars, name=None, **kwargs):
        """Updates variables by their gradients.

        Args:
            grads_and_vars: List of `(gradient, variable)` pairs. Gradients of a
                variable that occurs twice are summed.
            name: String, the name scope of new variables.
            **kwargs: See `tf_keras.optimizers.Optimizer.apply_gradients`.

        Returns:
            The `tf.Variable` that counts the steps.

        Raises:
            ValueError: If a gradient does not have the shape of its variable.
        """
        pairs = list(grads_and_vars)
        gradients, variables = once_each(
            self.gradients_argument,
            [gradient for gradient, _ in pairs],
            [variable for _, variable in pairs],
        )
        if not variables:
            return self.iterations
        if not getattr(self, "_built", False):
            with tf.name_scope(name or self.name), tf.init_scope():
                self.build(variables)
        # Replicas sum sparse rows only if their dense shape is known.
        grads_and_vars = [
            (with_dense_shape(gradient, variable.shape), variable)
            for gradient, variable in zip(gradients, variables, strict=True)
        ]
        if self.clip_per_replica:
            grads_and_vars = self._clipped_pairs(grads_and_vars)
        return self._undo_if_skipped(
            self._changed_by_keras(variables),
            lambda: super(ClippingOptimizer, self).apply_gradients(
                grads_and_vars, name=name, **kwargs
            ),
        )

    def get_config(self):
        """Returns the arguments that make an optimizer like this one."""
        learning_rate = self._serialize_hyperparameter(self._learning_rate)
        if not isinstance(learning_rate, dict):
            learning_rate = float(learning_rate)
        return {
            **super().get_config(),
            "learning_rate": learning_rate,
            **self._own_config(),
        }

    def _clipped_pairs(self, grads_and_vars):
        """Clips the gradients of one replica, if there are any."""
        pairs = [(g, v) for g, v in grads_and_vars if g is not None]
        gradients = clipped_on_replica(
            self.step_settings,
            [densify(gradient) for gradient, _ in pairs],
            self._read_scalars(),
            self._part_of([variable for _, variable in pairs]),
        )
        clipped = iter(gradients)
        return [
            (gradient if gradient is None else next(clipped), variable)
            for gradient, variable in grads_and_vars
        ]

    def _internal_apply_gradients(self, grads_and_vars):
        gradients, variables = map(list, zip(*grads_and_vars, strict=True))
        self._note_monitoring()
        part = self._part_of(variables)
        gradients = dense_or_rows(
            self.step_settings, gradients, variables, part.positions
        )
        self._tensorflow_steps.take(
            self.step_settings,
            self.jit_compile,
            Held(
                variables,
                self._slots_of(part),
                self._scalars,
                self._distribution_strategy,
                self.gradients_argument,
            ),
            gradients,
            self._value(self.learning_rate),
            part,
        )
        # After this tf_keras needs the variables for moving averages only.
        return super()._internal_apply_gradients(
            grads_and_vars if self.use_ema else []
        )

    def update_step(self, gradient, variable):
        """Raises an error: a step moves all variables together.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError(
            "`update_step` must not be called: a step moves all variables "
            "together. Call `apply_gradients([(gradient, variable)])` to step "
            f"by one. Received: variable={variable_path(variable)!r}"
        )

    def _update_step(self, gradient, variable):
        """Does nothing: the step has moved all variables together."""

    def _update_step_xla(self, gradient, variable, key):
        """Does nothing, like `_update_step`."""

    def _assign_all(self, variables, values):
        assign_on_replicas(self._distribution_strategy, variables, values)

    def _changed_by_keras(self, var_list):
        """Returns the variables that tf_keras changes after the rule."""
        averages = self._model_variables_moving_average if self.use_ema else []
        return [
            *averages,
            *(
                variable
                for variable in var_list
                if variable.constraint is not None
                or (self.use_ema and self.ema_overwrite_frequency)
            ),
        ]

    def _deduplicate_sparse_grad(self, grads):
        """Does nothing: a step merges rows, or makes them dense."""
        return grads

    def _index(self, variable):
        index = self._index_dict.get(self._var_key(variable))
        if index is None:
            raise KeyError(
                f"`{self.gradients_argument}` must hold variables that the "
                "optimizer was built with; make a new optimizer for others. "
                f"Received: variable={variable_path(variable)!r}"
            )
        return index

    def _value(self, variable):
        return value_of(variable)

    def add_variable(self, *args, name=None, **kwargs):
        """Adds a variable with a unique name."""
        name = self._unique_name(name or "variable")
        return super().add_variable(*args, name=name, **kwargs)

    def add_variable_from_reference(
        self, model_variable, variable_name, *args, **kwargs
    ):
        """Adds a variable with a unique name, even where models share names."""
        name = self._unique_name(
            variable_name, f"/{model_variable._shared_name}"
        )
        return super().add_variable_from_reference(
            model_variable, name, *args, **kwargs
        )

    def _add_shared(self, name, value, dtype):
        variable = tf.Variable(
            value,
            dtype="int64" if dtype == "int" else dtype,
            name=self._unique_name(name),
            trainable=False,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )
        self._variables.append(variable)
        return variable

    def _add_slot(self, variable, name, value):
        dtype = clipping.working_dtype_of(variable)
        start = tf.fill(variable.shape, tf.constant(value, dtype))
        if dtype == variable.dtype:
            return self.add_variable_from_reference(
                variable, name, initial_value=start
            )
        with self._distribution_strategy.extended.colocate_vars_with(variable):
            return self.add_variable(
                variable.shape, dtype, lambda shape, dtype: start, name=name
            )


def _signature_for_tf_keras(constructor):
    signature = inspect.signature(constructor)
    learning_rate = signature.parameters["learning_rate"].replace(
        annotation=float | tf_keras.optimizers.schedules.LearningRateSchedule
    )
    return signature.replace(
        parameters=[
            learning_rate if name == "learning_rate" else parameter
            for name, parameter in signature.parameters.items()
            if name not in _NOT_IN_TF_KERAS
        ]
    )
