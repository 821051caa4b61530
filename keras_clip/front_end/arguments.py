"""Collects, sorts and checks the constructor arguments of an optimizer."""

import dataclasses
import numbers
from collections.abc import Callable
from collections.abc import Mapping

import keras

from keras_clip.rules.rule import Rule
from keras_clip.step.settings import Settings
from keras_clip.validation import check_choice
from keras_clip.validation import check_integer
from keras_clip.validation import check_number

LearningRate = (
    float | keras.optimizers.schedules.LearningRateSchedule | Callable
)
# Arguments of all optimizers that become settings of a step.
SETTINGS = (
    "weight_decay",
    "monitor",
    "clip_per_replica",
    "clipnorm",
    "clipvalue",
    "global_clipnorm",
)


def given(names: Mapping[str, object]) -> dict[str, object]:
    """Returns the arguments that a constructor was called with.

    Args:
        names: `locals()` at the start of the constructor.

    Returns:
        Its named arguments, and those in its `kwargs`.
    """
    arguments = {
        name: value
        for name, value in names.items()
        if name not in ("self", "__class__", "kwargs")
    }
    return {**arguments, **names["kwargs"]}


def taken_settings(
    rule_class: type[Rule], arguments: dict[str, object]
) -> Settings:
    """Returns the settings among the arguments, and removes these from them.

    Args:
        rule_class: Class of the optimizer's rule.
        arguments: Arguments of its constructor. Those that are not settings
            stay, such as `clip_threshold` for a rule without a threshold.

    Raises:
        ValueError: If an argument is out of its range.
    """

    def take(names):
        return {n: arguments.pop(n) for n in names if n in arguments}

    rule = take(field.name for field in dataclasses.fields(rule_class))
    names = [*SETTINGS]
    if rule_class.operators:
        names.append("clip_threshold")
    if len(rule_class.operators) > 1:
        names.append("clipping")
    settings = take(names)
    _check_one_of_keras(settings)
    if "clipping" in settings:
        check_choice("clipping", settings["clipping"], rule_class.operators)
    return Settings(rule_class(**rule), **settings)


def _check_one_of_keras(arguments):
    """Raises if more than one of Keras' clipping arguments is set."""
    clips = [
        (name, arguments[name])
        for name in ("clipnorm", "clipvalue", "global_clipnorm")
        if arguments.get(name) is not None
    ]
    for name, value in clips:
        check_number(name, value, 0, open_low=True)
    if len(clips) > 1:
        raise ValueError(
            "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can "
            "be set. Received: "
            + ", ".join(f"{name}={value}" for name, value in clips)
        )


def check_arguments(
    learning_rate: object,
    jit_compile: bool | str,
    clip_per_replica: bool,
    keras_arguments: Mapping[str, object],
) -> None:
    """Raises for invalid arguments before Keras receives them.

    Args:
        learning_rate: Number, schedule or callable.
        jit_compile: `True`, `False` or `"auto"`.
        clip_per_replica: Whether each replica clips its gradient.
        keras_arguments: Arguments for Keras' constructor.

    Raises:
        ValueError: If one is out of its range or conflicts with another.
    """
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
