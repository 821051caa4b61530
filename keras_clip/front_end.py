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
from keras_clip.validation import check_names
from keras_clip.validation import check_number


class FrontEnd:
    """A mixin that runs a rule on an optimizer's variables."""

    def _check_arguments(
        self, learning_rate, weight_decay, jit_compile, monitor, keras_arguments
    ):
        """Raises for bad arguments before Keras sees them."""
        for name in ("clipnorm", "clipvalue", "global_clipnorm"):
            if keras_arguments.get(name) is not None:
                check_number(name, keras_arguments[name], 0, open_low=True)
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
        self._undecayed_names = check_names(
            "exclude_from_weight_decay", exclude_from_weight_decay
        )
        self._undecayed_keys = frozenset()

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
            var_list: List of variables to exclude. They are saved by path.
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
        var_list = list(var_list or [])
        paths = [f"^{re.escape(variable_path(v))}$" for v in var_list]
        names = check_names("var_names", var_names)
        self._undecayed_names = (*names, *paths)
        self._undecayed_keys = frozenset(self._var_key(v) for v in var_list)

    def _hyperparameters(self):
        fields = dataclasses.fields(self._rule_class)
        return {field.name: getattr(self, field.name) for field in fields}

    def _own_config(self):
        """Returns the arguments that Keras' `get_config` does not know."""
        return {
            **self._hyperparameters(),
            "exclude_from_weight_decay": list(self._undecayed_names),
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
        self._decays = [self._use_weight_decay(v) for v in variables]
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
        if not self.monitor:
            return
        k = ops.cast(self._value(self.update_count), "float32")
        clipped, size = 0.0, 0
        for variable in variables:
            slots = self._slots[self._index(variable)]
            state = tuple(self._value(slot) for slot in slots)
            where = self.rule.clipped(state, ops.cast(k, state[0].dtype))
            clipped = clipped + ops.sum(ops.cast(where, "float32"))
            size += math.prod(variable.shape)
        self.clip_fraction.assign(clipped / max(size, 1))
        finite = ops.stack([ops.all(ops.isfinite(g)) for g in gradients])
        self.skipped_steps.assign_add(
            ops.cast(ops.logical_not(ops.all(finite)), self.skipped_steps.dtype)
        )

    def _use_weight_decay(self, variable):
        if self._var_key(variable) in self._undecayed_keys:
            return False
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
