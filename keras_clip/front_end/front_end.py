"""Stores an optimizer's arguments and builds its config, in both front ends."""

import dataclasses
import math
from collections.abc import Sequence

from keras import ops

from keras_clip import thresholds
from keras_clip.front_end.arguments import check_arguments
from keras_clip.front_end.arguments import taken_settings
from keras_clip.front_end.attributes import SettingAttribute
from keras_clip.front_end.attributes import add_hyperparameters
from keras_clip.front_end.exclusions import Exclusions
from keras_clip.front_end.state_variables import StateVariables
from keras_clip.rules.rule import Rule
from keras_clip.step.current_threshold import clips_at_one_number
from keras_clip.step.current_threshold import last_threshold_of
from keras_clip.step.current_threshold import moments_like
from keras_clip.step.current_threshold import threshold_of
from keras_clip.step.pairing import variable_path
from keras_clip.step.settings import Settings
from keras_clip.thresholds.fitting import check_arrays
from keras_clip.thresholds.fitting import check_numbers
from keras_clip.thresholds.fitting import differ_in_numbers_alone
from keras_clip.thresholds.fitting import scales_of
from keras_clip.validation import check_names


class FrontEnd(StateVariables):
    """Stores an optimizer's arguments and builds its config, as a mixin.

    A step depends on the settings alone. Attributes such as `beta_1` and
    `monitor` read and write them.

    Attributes:
        rule_class: Class of the rule that the optimizer runs.
        was_monitored: Whether the last step that was taken or traced updates
            all monitoring variables; `None` before the first.
        was_always_monitored: Whether every such step does.
    """

    rule_class: type[Rule]

    was_monitored = None
    was_always_monitored = True

    weight_decay = SettingAttribute()
    clipnorm = SettingAttribute(zero_is_none=True)
    clipvalue = SettingAttribute(zero_is_none=True)
    global_clipnorm = SettingAttribute(zero_is_none=True)
    clip_per_replica = SettingAttribute()
    monitor = SettingAttribute()
    clipping = SettingAttribute()

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        add_hyperparameters(cls)

    def _split_arguments(self, arguments):
        """Takes out and stores what is not for the framework's constructor."""
        settings = taken_settings(self.rule_class, arguments)
        exclusions = Exclusions.of(arguments.pop("exclude_from_weight_decay"))
        jit_compile = arguments.pop("jit_compile")
        check_arguments(
            arguments["learning_rate"],
            jit_compile,
            settings.clip_per_replica,
            arguments,
        )
        arguments.update(
            weight_decay=settings.weight_decay,
            clipnorm=settings.clipnorm,
            clipvalue=settings.clipvalue,
            global_clipnorm=settings.global_clipnorm,
        )
        # Keras allows no attributes before its constructor runs, and that sets
        # some of the settings.
        self.__dict__.update(
            _settings=settings, jit_compile=jit_compile, _exclusions=exclusions
        )

    @property
    def step_settings(self) -> Settings:
        """Returns the `Settings` of the next step: all that is no tensor."""
        try:
            return self.__dict__["_settings"]
        except KeyError:
            raise AttributeError(
                f"{type(self).__name__} has no arguments before "
                "`super().__init__()` is called"
            ) from None

    @step_settings.setter
    def step_settings(self, settings):
        # In `__dict__`, so that neither Keras nor TensorFlow tracks it.
        self.__dict__["_settings"] = settings

    @property
    def rule(self) -> Rule:
        """Returns the algorithm with the optimizer's hyperparameters."""
        return self.step_settings.rule

    @property
    def nonfinite_scope(self) -> str:
        """Returns what a NaN or infinite gradient stops; see `Settings`."""
        return self.step_settings.nonfinite_scope

    @property
    def is_monitored(self) -> bool:
        """Returns whether steps are fully monitored; see `Settings`."""
        return self.step_settings.is_monitored

    @property
    def clip_threshold(self):
        """Returns the current threshold: float, arrays, schedule or `None`.

        It can be set between steps to a threshold of the same kind, which
        recompiles nothing.
        """
        self._check_rule_clips()
        current = self._current_threshold()
        if isinstance(current, thresholds.ConstantThreshold):
            scale = current.scale
            return scale if isinstance(scale, float) else list(scale)
        return current

    @clip_threshold.setter
    def clip_threshold(self, value):
        self._check_rule_clips()
        # tf_keras wraps the lists that its attributes are set to.
        value = list(value) if isinstance(value, list) else value
        changed = dataclasses.replace(self.step_settings, clip_threshold=value)
        if not self._has_state():
            self.step_settings = changed
            return
        threshold = changed.clip_threshold
        built = self.step_settings.clip_threshold
        if not differ_in_numbers_alone(threshold, built):
            raise ValueError(
                "`clip_threshold` must be of the kind that the optimizer was "
                f"built with, as {thresholds.serialize(built)}: only its scale "
                "and `parameters` can be set; else make a new optimizer. "
                f"Received: clip_threshold={value!r}"
            )
        if threshold is None:
            return
        check_numbers(threshold, self._part.dtype)
        before = self._read_scalars()
        after = moments_like(
            self.step_settings, before, threshold, self._part.dtype
        )
        self._assign_scalars(
            before,
            after._replace(
                threshold_scales=scales_of(threshold),
                threshold_parameters=threshold.parameters,
            ),
        )

    @property
    def last_threshold(self) -> float | None:
        """Returns the threshold of the last update, NaN before the first.

        `None` if that is not one number: nothing is clipped, or variables or
        coordinates have different thresholds.
        """
        if self._has_state():
            return last_threshold_of(self.step_settings, self._read_scalars())
        return math.nan if clips_at_one_number(self.step_settings) else None

    def exclude_from_weight_decay(
        self,
        var_list: Sequence | None = None,
        var_names: Sequence[str] | None = None,
    ):
        """Excludes variables from weight decay, before the optimizer is built.

        Unlike in Keras, the exclusions are part of the config and survive
        saving and loading, and those of the constructor and of earlier calls
        remain.

        Args:
            var_list: List of variables to exclude. They are saved by path
                before the optimizer is built, and by their positions among its
                variables afterwards.
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
        self.__dict__["_exclusions"] = self._exclusions.extended(
            check_names("var_names", var_names),
            {self._var_key(v): variable_path(v) for v in var_list or ()},
        )

    def _own_config(self):
        """Returns the arguments that Keras' `get_config` does not know."""
        rule = self.step_settings.rule
        config = {
            field.name: getattr(rule, field.name)
            for field in dataclasses.fields(rule)
        }
        if len(rule.operators) > 1:
            config["clipping"] = self.step_settings.clipping
        if rule.operators:
            threshold = self._current_threshold()
            config["clip_threshold"] = thresholds.serialize(threshold)
        return {
            **config,
            "exclude_from_weight_decay": self._exclusions.listed(),
            "jit_compile": self.jit_compile,
            "monitor": self.monitor,
            "clip_per_replica": self.clip_per_replica,
        }

    def _check_rule_clips(self):
        if self.step_settings.clipping is None:
            raise AttributeError(
                f"{type(self).__name__} has no `clip_threshold`"
            )

    def _current_threshold(self):
        """Returns the threshold with the numbers that the variables hold."""
        if self._has_state():
            return threshold_of(self.step_settings, self._read_scalars())
        return self.step_settings.clip_threshold

    def _check_threshold_fits(self, variables):
        """Raises if the threshold's arrays do not fit the variables.

        When it loads a model from an HDF5 file, Keras builds the optimizer
        without variables (keras/src/legacy/saving/legacy_h5_format.py, 3.15.1).
        """
        threshold = self.step_settings.clip_threshold
        if threshold is not None and variables:
            check_arrays(threshold, variables)

    def _build_state(self, variables, stateless=()):
        """Creates the state that steps on the model's variables keep.

        The rule never updates variables at the positions `stateless`.
        """
        located = self._exclusions.located(variables, self._var_key)
        self.__dict__["_exclusions"] = located
        undecayed = located.positions.union(
            position
            for position, variable in enumerate(variables)
            if not self._use_weight_decay(variable)
        )
        self.step_settings = dataclasses.replace(
            self.step_settings, undecayed=undecayed
        )
        self._create_variables(self.step_settings, variables, stateless)

    def _use_weight_decay(self, variable):
        return not self._exclusions.match(variable)

    def _clip_gradients(self, gradients):
        """Returns gradients unchanged: a step clips them after aggregation."""
        return gradients

    def _apply_weight_decay(self, variables):
        """Does nothing: the rule applies the decay."""

    def _note_monitoring(self):
        """Records whether the current step is fully monitored."""
        self.was_monitored = self.step_settings.is_monitored
        self.was_always_monitored &= self.step_settings.is_monitored

    def _undo_if_skipped(self, variables, step):
        """Takes a step, and restores variables if it is skipped entirely.

        Keras applies constraints and moving averages after the update, and
        does not know about skipped steps.

        Args:
            variables: The variables that Keras changes after the rule.
            step: Callable without arguments.

        Returns:
            The result of `step`.
        """
        if not (variables and self.step_settings.nonfinite_scope == "step"):
            return step()
        before = [ops.copy(self._value(variable)) for variable in variables]
        skipped_before = ops.copy(self._value(self.skipped_steps))
        result = step()
        skipped = ops.not_equal(self._value(self.skipped_steps), skipped_before)
        self._assign_all(
            variables,
            [
                ops.where(skipped, value, self._value(variable))
                for variable, value in zip(variables, before, strict=True)
            ],
        )
        return result
