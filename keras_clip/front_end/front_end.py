"""An optimizer's arguments and config, for Keras 3 and for tf_keras."""

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
from keras_clip.step.pairing import variable_path
from keras_clip.step.settings import Settings
from keras_clip.step.threshold import clips_at_one_number
from keras_clip.step.threshold import last_threshold_of
from keras_clip.step.threshold import moments_like
from keras_clip.step.threshold import threshold_of
from keras_clip.thresholds.fitting import check_arrays
from keras_clip.thresholds.fitting import check_numbers
from keras_clip.thresholds.fitting import differ_in_numbers_alone
from keras_clip.thresholds.fitting import scales_of
from keras_clip.validation import check_names


class FrontEnd(StateVariables):
    """A mixin that holds an optimizer's arguments and config.

    The settings are what a step depends on; attributes such as `beta_1` and
    `monitor` are views of them.

    Attributes:
        rule_class: Class of the rule, of the optimizer's own class.
        was_monitored: Whether the last step, or the last that was traced, kept
            all that it observes up; `None` before the first.
        was_always_monitored: Whether all of them did.
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
        """Sets the arguments that are not the framework's own.

        Args:
            arguments: All arguments of the optimizer, by name. What is for the
                framework's constructor stays in it.
        """
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
        # Keras lets no attribute be set before its constructor, which sets some
        # of the settings.
        self.__dict__.update(
            _settings=settings,
            jit_compile=jit_compile,
            _exclusions=exclusions,
        )

    @property
    def step_settings(self) -> Settings:
        """The `Settings` of the next step: all it depends on but values."""
        try:
            return self.__dict__["_settings"]
        except KeyError:
            raise AttributeError(
                f"{type(self).__name__} has no arguments before "
                "`super().__init__()` is called"
            ) from None

    @step_settings.setter
    def step_settings(self, settings):
        # Not an attribute that Keras or TensorFlow tracks and saves.
        self.__dict__["_settings"] = settings

    @property
    def rule(self) -> Rule:
        """The algorithm with the hyperparameters of this optimizer."""
        return self.step_settings.rule

    @property
    def nonfinite_scope(self) -> str:
        """The scope of one NaN or infinite gradient; see `Settings`."""
        return self.step_settings.nonfinite_scope

    @property
    def is_monitored(self) -> bool:
        """Whether all that is known of a step is kept up; see `Settings`."""
        return self.step_settings.is_monitored

    @property
    def clip_threshold(self):
        """The threshold as of now: a float, arrays, a schedule or `None`.

        Set it between steps to change it, to one of the same kind; nothing is
        compiled anew.
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
        threshold, built = (
            changed.clip_threshold,
            self.step_settings.clip_threshold,
        )
        if not differ_in_numbers_alone(threshold, built):
            raise ValueError(
                "`clip_threshold` must be of the kind that the optimizer was "
                f"built with, as {thresholds.serialize(built)}: only its scale "
                "and `parameters` can be set, for others make a new optimizer. "
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
        """The number that the last update clipped at, NaN before the first.

        `None` where it is not one number: where nothing is clipped, or every
        variable or coordinate at its own.
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
        self.__dict__["_exclusions"] = Exclusions(
            check_names("var_names", var_names),
            paths={self._var_key(v): variable_path(v) for v in var_list or ()},
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
        """Raises if there is not one array for each variable.

        Of a model in an HDF5 file Keras builds the optimizer on no variables at
        all (keras/src/legacy/saving/legacy_h5_format.py, 3.15.1).
        """
        threshold = self.step_settings.clip_threshold
        if threshold is not None and variables:
            check_arrays(threshold, variables)

    def _build_state(self, variables, stateless=()):
        """Creates the variables that go with the model's `variables`.

        Args:
            variables: List of the model's variables.
            stateless: Positions of those that the rule never updates.
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
        """Leaves gradients alone: they are clipped once they are aggregated."""
        return gradients

    def _apply_weight_decay(self, variables):
        """Does nothing: the decay is a part of the rule."""

    def _note_monitoring(self):
        """Notes whether the step that is being made observes all."""
        self.was_monitored = self.step_settings.is_monitored
        self.was_always_monitored &= self.step_settings.is_monitored

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
