"""Fills in the parts that the docstrings of all optimizers share."""

import inspect
import re
import textwrap

from keras_clip.registry import OPTIMIZERS

_LEARNING_RATE = "{{learning rate}}"
_THRESHOLD = "{{clip threshold}}"
_ARGUMENTS = "{{arguments of all}}"
_RATE = "{{starting rate}}"
# The default of the argument beside it.
_DEFAULT = "{{default}}"

_LEARNING_RATES = {
    "keras": """\
A float, a
    `keras.optimizers.schedules.LearningRateSchedule` instance, or a
    callable that takes no arguments and returns the value to use.""",
    "tf_keras": """\
A float or a
    `keras.optimizers.schedules.LearningRateSchedule` instance.""",
}

_OF_NORMS = """\
Positive float in units of the gradient, a threshold of
    `keras_clip.thresholds`, or `None` for no clipping. Set it between
    steps to change it. Defaults to `{{default}}`."""

_OF_NORMS_OR_COORDINATES = """\
Positive float in units of the gradient, a threshold of
    `keras_clip.thresholds`, with clipping by coordinate also a list
    with an array for each variable, or `None` for no clipping. Set it
    between steps to change it. Defaults to `{{default}}`."""

_OF_COORDINATES = """\
Positive float in units of the gradient, a list with an
    array for each variable that broadcasts to its shape, a threshold of
    `keras_clip.thresholds`, or `None` for no clipping. Set it between
    steps to change it. Defaults to `{{default}}`."""

_BOTH = """\
weight_decay: Float or `None`, decoupled weight decay. Defaults to
    `{{default}}`.
nonfinite: `"skip"` or `"propagate"`. With `"skip"`, a gradient that is NaN
    or infinite changes nothing: a global norm makes the optimizer skip the
    step, the norm of a variable that variable, and without a norm only the
    coordinate is skipped. The same holds for a gradient whose square
    overflows, unless a threshold for coordinates makes it small. With
    `"propagate"`, parameters and state become NaN or infinite. Defaults to
    `"skip"`.
jit_compile: Whether the update is compiled, by XLA or on torch by
    `torch.compile`: `True`, `False`, or `"auto"`. On TensorFlow and torch
    `"auto"` compiles updates of at least 32,768 elements: of a variable, or
    of the small ones together. On torch it needs 524,288 elements in all,
    as the compiler takes seconds to load; where that fails, a warning says
    so and updates run uncompiled. Defaults to `"auto"`.
monitor: Whether to update the monitoring variables even if that costs a
    pass over the gradients: `gradient_norm` and, with an entry for each
    variable, `gradient_norms` (of the last step, before clipping),
    `clip_fraction` (share of steps, variables or coordinates that the last
    update clipped), `clip_fractions` (share of each variable), `clip_total`
    (sum of `clip_fraction` over all updates), `skipped_steps` and
    `skipped_in_a_row` (since the last step that was taken). `ClipMonitor`
    sets it to `True`. As an attribute, it applies to steps that are traced
    after it is set. Defaults to `False`.
exclude_from_weight_decay: List of regular expressions and integers. A
    variable does not decay if an expression matches its name or path, or
    if its position among the optimizer's variables is listed. Defaults to
    `None`.
clip_per_replica: Whether each replica clips its gradient before gradients
    are reduced, as in Keras. TensorFlow only. Defaults to `False`: the
    gradient of the global batch is clipped.
clipnorm: Float or `None`. Each variable's gradient is clipped to this norm.
    Like the next two, it applies after aggregation and before all other
    clipping.
clipvalue: Float or `None`. Each coordinate is clipped to this value.
global_clipnorm: Float or `None`. All gradients together are clipped to
    this norm; a step whose norm is NaN or infinite is skipped entirely.
use_ema: See `keras.optimizers.Optimizer`, also for all that follow.
ema_momentum: Float in [0, 1].
ema_overwrite_frequency: Int or `None`."""

_KERAS = """
loss_scale_factor: Float or `None`.
gradient_accumulation_steps: Int or `None`."""

_LAST = """
name: String, the name of the optimizer.
**kwargs: Keyword arguments of `keras.optimizers.Optimizer`."""


_RAISES = """

Raises:
    ValueError: If an argument is out of its range."""

# Replacements that turn an example for Keras 3 into one for tf_keras.
_TRANSLATIONS = {
    "`keras.": "`tf_keras.",
    "keras.Variable(": "tf.Variable(",
    "keras.ops.convert_to_tensor(": "tf.constant(",
    "keras.ops.convert_to_numpy(x)": "x.numpy()",
}


_ABOUT_TF_KERAS = """\
    For models of tf_keras, whose optimizers have no gradient accumulation and
    no fixed loss scale: `gradient_accumulation_steps` and `loss_scale_factor`
    are rejected.
"""


def fill_in(cls: type, framework: str) -> str | None:
    """Returns a class's docstring with its placeholders filled in.

    Args:
        cls: The class of an optimizer.
        framework: `"keras"` or `"tf_keras"`.

    Returns:
        The docstring, complete; `None` where Python strips them.
    """
    text = cls.__doc__
    if text is None:
        return None
    for mark, block_of, section in (
        (_LEARNING_RATE, _learning_rate, ""),
        (_THRESHOLD, _threshold, ""),
        (_ARGUMENTS, _arguments_of_all, _RAISES),
    ):
        if mark in text:
            block = block_of(cls, framework)
            block = block.replace("`keras.", f"`{framework}.")
            text = _with_block(text, mark, block, section)
    if _RATE in text:
        rates = {i.class_name: i.starting_rate for i in OPTIMIZERS.values()}
        # A user's subclass has the rate of the optimizer it derives from.
        for base in reversed(cls.__mro__):
            if base.__name__ in rates:
                text = text.replace(_RATE, f"{rates[base.__name__]:g}")
    return text


def translated(text: str | None, name: str) -> str | None:
    """Returns a Keras 3 optimizer's docstring, adapted to tf_keras.

    Args:
        text: The docstring, with its placeholders; `None` where Python strips
            docstrings.
        name: Name of the class.
    """
    if text is None:
        return None
    for keras_words, words in _TRANSLATIONS.items():
        text = text.replace(keras_words, words)
    first, rest = text.split("\n", 1)
    text = f"{first}\n\n{_ABOUT_TF_KERAS}{rest}"
    optimizer = f"from keras_clip.tf_keras import {name}"
    return _with_imports(text, "import tensorflow as tf", optimizer)


def of_tf_keras(text: str | None) -> str | None:
    """Returns the docstring of a callback for Keras 3 as one for tf_keras.

    Args:
        text: The docstring; `None` where Python strips them.
    """
    if text is None:
        return None
    text = re.sub(r"\bkeras_clip\.(?=[A-Zc])", "keras_clip.tf_keras.", text)
    text = re.sub(r"(?<![\w/])keras\.", "tf_keras.", text)
    return _with_imports(text, "import tf_keras", "import keras_clip.tf_keras")


def _with_imports(text, *imports):
    example = "    Example:\n\n"
    lines = "".join(f"    >>> {line}\n" for line in imports)
    return text.replace(example, example + lines)


def _learning_rate(cls, framework):
    return _LEARNING_RATES[framework]


def _threshold(cls, framework):
    operators = cls.rule_class.operators
    if "coordinate" not in operators:
        block = _OF_NORMS
    elif len(operators) > 1:
        block = _OF_NORMS_OR_COORDINATES
    else:
        block = _OF_COORDINATES
    return block.replace(_DEFAULT, _default(cls, "clip_threshold"))


def _arguments_of_all(cls, framework):
    decay = _BOTH.replace(_DEFAULT, _default(cls, "weight_decay"))
    return decay + (_KERAS if framework == "keras" else "") + _LAST


def _default(cls, argument):
    """Returns the default of an argument, of a class or its base, as code."""
    for base in cls.__mro__:
        parameters = inspect.signature(base.__init__).parameters
        if argument in parameters:
            # 1e-5, not 1e-05.
            return repr(parameters[argument].default).replace("e-0", "e-")
    return ""


def _with_block(text, mark, block, section=""):
    """Returns a text with a block, then a section, for a placeholder."""
    before, after = text.split(mark)
    line = before.rpartition("\n")[2]
    indent = line[: len(line) - len(line.lstrip())]
    block = textwrap.indent(block, indent).lstrip()
    return before + block + textwrap.indent(section, indent[4:]) + after
