"""What the Keras 3 and the tf_keras optimizers share: everything but plumbing.

A front end adds how it creates variables (`_add_scalar`, `_add_slot`), reads
and finds them (`_value`, `_index`), and when it aggregates gradients.
"""

import dataclasses
import math
import re
from collections.abc import Sequence

from keras import ops

from keras_clip import clipping
from keras_clip.compilation import update_function
from keras_clip.validation import check_choice
from keras_clip.validation import check_exclusions
from keras_clip.validation import check_names
from keras_clip.validation import check_number


class FrontEnd:
    """A mixin that runs a rule on an optimizer's variables."""

    def _check_arguments(
        self, learning_rate, weight_decay, jit_compile, monitor, keras_arguments
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
        if isinstance(learning_rate, float | int):
            check_number("learning_rate", learning_rate, 0)
        check_choice("jit_compile", jit_compile, ("auto", True, False))
        check_choice("monitor", monitor, (False, True))

    def _set_arguments(
        self, rule, exclude_from_weight_decay, jit_compile, monitor
    ):
        self._rule_class = type(rule)
        for name, value in dataclasses.asdict(rule).items():
            setattr(self, name, value)
        self.jit_compile = jit_compile
        self.monitor = monitor
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
            "exclude_from_weight_decay": [
                *self._undecayed_names,
                *sorted(self._undecayed_positions),
                *(f"^{re.escape(path)}$" for path in paths),
            ],
            "jit_compile": self.jit_compile,
            "monitor": self.monitor,
        }

    def _has_state(self):
        return hasattr(self, "update_count")

    def _build_state(self, variables, stateless=()):
        """Creates the variables that go with the model's `variables`.

        Those at the indices in `stateless` are never updated by the rule.
        """
        self.update_count = self._add_scalar("update_count", "int")
        self.gradient_norm = self._add_scalar("gradient_norm", "float32")
        self.clip_fraction = self._add_scalar("clip_fraction", "float32")
        self.skipped_steps = self._add_scalar("skipped_steps", "int")
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
        names = self.rule.slots
        self._slots = [
            []
            if index in stateless
            else [self._add_slot(variable, name) for name in names]
            for index, variable in enumerate(variables)
        ]

    def _run_rule(self, gradient, variable, learning_rate):
        """Moves one variable and its state by one step."""
        index = self._index(variable)
        slots = self._slots[index]
        dtype = clipping.working_dtype_of(variable)
        update = update_function(
            self.rule,
            (self.weight_decay or 0.0) if self._decays[index] else 0.0,
            variable,
            self.jit_compile,
        )
        x, state = update(
            ops.cast(self._value(variable), dtype),
            ops.cast(gradient, dtype),
            tuple(self._value(slot) for slot in slots),
            ops.cast(learning_rate, dtype),
            ops.cast(self._value(self.update_count), dtype) + 1,
        )
        for slot, value in zip(slots, state, strict=True):
            slot.assign(value)
        variable.assign(ops.cast(x, variable.dtype))

    def _clip(self, gradients):
        """Applies Keras' own clipping arguments to aggregated gradients.

        Returns:
            Tuple of the clipped gradients and whether the step counts as an
            update: a global norm that is not finite skips it whole.
        """
        counts = True
        if self.monitor or self.global_clipnorm:
            norm = clipping.global_norm(gradients)
            self.gradient_norm.assign(ops.cast(norm, "float32"))
        if self.global_clipnorm:
            if self.nonfinite == "skip":
                counts = ops.isfinite(norm)
            gradients = [
                clipping.clip_by_norm(g, self.global_clipnorm, norm)
                for g in gradients
            ]
        elif self.clipnorm:
            gradients = [
                clipping.clip_by_norm(g, self.clipnorm) for g in gradients
            ]
        elif self.clipvalue:
            gradients = [
                clipping.clip_by_value(g, self.clipvalue) for g in gradients
            ]
        return gradients, counts

    def _finish(self, gradients, variables, counts):
        """Counts the update and, if asked, what it clipped and skipped."""
        self.update_count.assign_add(ops.cast(counts, self.update_count.dtype))
        if self.monitor:
            self.clip_fraction.assign(self._clipped_share(variables))
            if self.nonfinite == "skip":
                finite = [ops.all(ops.isfinite(g)) for g in gradients]
                counts = ops.logical_and(counts, ops.all(ops.stack(finite)))
        if counts is not True:
            self.skipped_steps.assign_add(
                ops.cast(ops.logical_not(counts), self.skipped_steps.dtype)
            )

    def _clipped_share(self, variables):
        """Returns the share of coordinates that the last update clipped."""
        clipped, size = 0.0, 0
        for variable in variables:
            slots = self._slots[self._index(variable)]
            dtype = clipping.working_dtype_of(variable)
            where = self.rule.clipped(
                tuple(self._value(slot) for slot in slots),
                ops.cast(self._value(self.update_count), dtype),
            )
            clipped = clipped + ops.sum(ops.cast(where, "float32"))
            size += math.prod(variable.shape)
        return clipped / max(size, 1)

    def _undo_if_skipped(self, variables, step):
        """Takes a step, but leaves these variables if it is skipped whole.

        Keras applies constraints and moving averages after the update, and
        does not know of skipped steps.

        Args:
            variables: What Keras changes besides the rule.
            step: Callable without arguments.

        Returns:
            What `step` returns.
        """
        if not (variables and self.global_clipnorm):
            return step()
        before = [ops.copy(self._value(variable)) for variable in variables]
        skipped_before = ops.copy(self._value(self.skipped_steps))
        result = step()
        skipped = ops.not_equal(self._value(self.skipped_steps), skipped_before)
        for variable, value in zip(variables, before, strict=True):
            after = self._value(variable)
            variable.assign(ops.where(skipped, value, after))
        return result

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


def variable_path(variable) -> str:
    """Returns the path of a variable, on tf_keras its name without `:0`."""
    return getattr(variable, "path", variable.name.split(":")[0])
