"""What the Keras 3 and the tf_keras optimizers share: everything but plumbing.

A front end adds how it creates variables (`_add_shared`, `_add_slot`), reads
and finds them (`_value`, `_index`), and when it aggregates gradients.
"""

import dataclasses
import numbers
import re
from collections.abc import Sequence

import keras

from keras_clip import clipping
from keras_clip.monitor_variables import MonitorVariables
from keras_clip.pairing import variable_path
from keras_clip.saved_variables import SavedVariables
from keras_clip.stepping import Stepping
from keras_clip.threshold_variables import ThresholdVariables
from keras_clip.update_counts import UpdateCounts
from keras_clip.validation import check_choice
from keras_clip.validation import check_exclusions
from keras_clip.validation import check_integer
from keras_clip.validation import check_names
from keras_clip.validation import check_number


class FrontEnd(
    Stepping,
    ThresholdVariables,
    MonitorVariables,
    UpdateCounts,
    SavedVariables,
):
    """A mixin that holds an optimizer's arguments, config and state."""

    def _check_arguments(
        self,
        learning_rate,
        weight_decay,
        jit_compile,
        monitor,
        clip_per_replica,
        keras_arguments,
    ):
        """Raises for bad arguments before Keras sees them."""
        given = {
            name: keras_arguments[name]
            for name in ("clipnorm", "clipvalue", "global_clipnorm")
            if keras_arguments.get(name) is not None
        }
        for name, value in given.items():
            check_number(name, value, 0, open_low=True)
        if len(given) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can "
                "be set. Received: "
                + ", ".join(f"{name}={value}" for name, value in given.items())
            )
        if weight_decay is not None:
            check_number("weight_decay", weight_decay, 0)
        if isinstance(learning_rate, str | list | tuple | None):
            raise ValueError(
                "`learning_rate` must be a number in [0, inf), a schedule or a "
                f"callable. Received: learning_rate={learning_rate!r}"
            )
        if isinstance(learning_rate, numbers.Real):
            check_number("learning_rate", learning_rate, 0)
        scale = keras_arguments.get("loss_scale_factor")
        if scale is not None:
            check_number("loss_scale_factor", scale, 0, open_low=True)
        steps = keras_arguments.get("gradient_accumulation_steps")
        if steps is not None:
            check_integer("gradient_accumulation_steps", steps, 2)
        check_choice("jit_compile", jit_compile, ("auto", True, False))
        check_choice("monitor", monitor, (False, True))
        check_choice("clip_per_replica", clip_per_replica, (False, True))
        backend = keras.backend.backend()
        if clip_per_replica and backend != "tensorflow":
            raise ValueError(
                "`clip_per_replica` must be False on any backend but "
                "TensorFlow: elsewhere there is no gradient of one replica. "
                f"Received: clip_per_replica=True, on {backend}"
            )
        if clip_per_replica and steps is not None:
            raise ValueError(
                "`clip_per_replica` must be False with "
                "`gradient_accumulation_steps`: micro-batches are added up "
                "over all replicas. Received: clip_per_replica=True, "
                f"gradient_accumulation_steps={steps}"
            )

    def _set_arguments(
        self,
        rule,
        threshold,
        exclude_from_weight_decay,
        jit_compile,
        monitor,
        clip_per_replica,
    ):
        self._rule_class = type(rule)
        for name, value in dataclasses.asdict(rule).items():
            setattr(self, name, value)
        self.jit_compile = jit_compile
        self.monitor = monitor
        self.clip_per_replica = clip_per_replica
        if rule.clipping:
            self._set_threshold(threshold)
        exclusions = check_exclusions(
            "exclude_from_weight_decay", exclude_from_weight_decay
        )
        self._undecayed_names = tuple(
            item for item in exclusions if isinstance(item, str)
        )
        self._undecayed_positions = frozenset(exclusions).difference(
            self._undecayed_names
        )
        self._undecayed_keys = {}

    @property
    def rule(self):
        """The algorithm with the hyperparameters of this optimizer."""
        return self._rule_class(**self._hyperparameters())

    def exclude_from_weight_decay(
        self,
        var_list: Sequence | None = None,
        var_names: Sequence[str] | None = None,
    ):
        """Excludes variables from weight decay, before the optimizer is built.

        Unlike Keras' own, the exclusions are part of the config and survive
        saving and loading.

        Args:
            var_list: List of variables to exclude. Once the optimizer is
                built they are saved by their positions among its variables,
                before by path.
            var_names: List of regular expressions; variables whose name or
                path one of them matches are excluded.

        Raises:
            ValueError: If the optimizer is already built.
        """
        if self._has_state():
            raise ValueError(
                "`exclude_from_weight_decay()` must be called before the "
                "optimizer is built. Received: "
                f"var_list={var_list}, var_names={var_names}"
            )
        self._undecayed_names = check_names("var_names", var_names)
        self._undecayed_positions = frozenset()
        self._undecayed_keys = {
            self._var_key(v): variable_path(v) for v in var_list or ()
        }

    def _hyperparameters(self):
        fields = dataclasses.fields(self._rule_class)
        return {field.name: getattr(self, field.name) for field in fields}

    def _own_config(self):
        """Returns the arguments that Keras' `get_config` does not know."""
        paths = self._undecayed_keys.values()
        return {
            **self._hyperparameters(),
            **self._threshold_config(),
            "exclude_from_weight_decay": [
                *self._undecayed_names,
                *sorted(self._undecayed_positions),
                *(f"^{re.escape(path)}$" for path in paths),
            ],
            "jit_compile": self.jit_compile,
            "monitor": self.monitor,
            "clip_per_replica": self.clip_per_replica,
        }

    def _unique_name(self, name, end=""):
        """Returns the name, with `_1` and so on if a variable has it already.

        HDF5 files keep variables by their names.

        Args:
            name: String.
            end: String that comes after it in the variable's whole name.
        """
        # Not an attribute that Keras or TensorFlow tracks and saves.
        names = self.__dict__.setdefault("_variable_names", set())
        unique, number = name, 0
        while unique + end in names:
            number += 1
            unique = f"{name}_{number}"
        names.add(unique + end)
        return unique

    def _has_state(self):
        return hasattr(self, "update_count")

    def _build_state(self, variables, stateless=()):
        """Creates the variables that go with the model's `variables`.

        Those at the indices in `stateless` are never updated by the rule.
        """
        rule = self.rule
        self.update_count = self._add_shared("update_count", 0, "int")
        self._build_monitor(variables)
        self.variable_paths = [variable_path(v) for v in variables]
        self._shared_dtype = clipping.widest_dtype_of(variables)
        self._build_threshold(variables)
        self._shared = [
            self._add_shared(name, value, self._shared_dtype)
            for name, value in rule.shared.items()
        ]
        # Paths can change when a model is saved and loaded (keras 3.15.1):
        # a `Sequential` loses its own name in them. Positions do not.
        self._undecayed_positions = self._undecayed_positions.union(
            index
            for index, variable in enumerate(variables)
            if self._var_key(variable) in self._undecayed_keys
        )
        self._undecayed_keys = {}
        self._decays = [
            index not in self._undecayed_positions
            and self._use_weight_decay(variable)
            for index, variable in enumerate(variables)
        ]
        self._slots = [
            []
            if index in stateless
            else [
                self._add_slot(variable, name, value)
                for name, value in rule.slots.items()
            ]
            for index, variable in enumerate(variables)
        ]
        self._build_later_variables(variables)

    def _build_later_variables(self, variables):
        """Creates the variables that files of the first layout do not have.

        They are the last ones, and zero is what they are for such a file.
        """
        starts = {"clip_total_error": (0.0, "float32")}
        if self._corrects_single_variables():
            starts["missed_updates"] = ([0] * len(variables), "int")
        self.later_variables = []
        for name, (start, dtype) in starts.items():
            variable = self._add_shared(name, start, dtype)
            setattr(self, name, variable)
            self.later_variables.append(variable)

    def _use_weight_decay(self, variable):
        return not any(
            re.search(pattern, name)
            for pattern in self._undecayed_names
            for name in (variable.name, variable_path(variable))
        )

    def _clip_gradients(self, gradients):
        """Leaves gradients alone: they are clipped once they are aggregated."""
        return gradients

    def _apply_weight_decay(self, variables):
        """Does nothing: the decay is a part of the rule."""
