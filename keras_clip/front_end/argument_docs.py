"""Fills in what the optimizers' docstrings share or take of the registry."""

import inspect
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
nonfinite: `"skip"`: a gradient that is NaN or infinite, or whose square
    overflows, stops what shares a number with it, which is then left as it
    was: the whole step where a global norm is taken, the variable where its
    own norm is, else the coordinate. `"propagate"`: it spreads. Defaults to
    `"skip"`.
jit_compile: Whether the update is compiled by XLA: `True`, `False`, or
    `"auto"`, which on TensorFlow compiles what has at least 32,768
    elements: a variable, or the small ones together. Defaults to `"auto"`.
monitor: Whether the monitoring variables are kept up even where that costs
    a pass over the gradients: `gradient_norm` and, with an entry for each
    variable, `gradient_norms` (of the last step, before clipping),
    `clip_fraction` (share of steps, variables or coordinates that the last
    update clipped), `clip_fractions` (share of each variable), `clip_total`
    (sum of `clip_fraction` over all updates), `skipped_steps` and
    `skipped_in_a_row` (since the last good step). `ClipMonitor` switches it
    on; set as an attribute, it is for steps traced later. Defaults to
    `False`.
exclude_from_weight_decay: List of regular expressions, which exclude the
    variables whose name or path they match from weight decay, and of
    positions among the optimizer's variables. Defaults to `None`.
clip_per_replica: Whether each replica's gradient is clipped before they
    are reduced, as Keras does. TensorFlow only. Defaults to `False`: the
    gradient of the whole batch is clipped.
clipnorm: Float or `None`. Each variable's gradient is clipped to this norm.
    Like the next two, applied after aggregation and before all else.
clipvalue: Float or `None`. Each coordinate is clipped to this value.
global_clipnorm: Float or `None`. All gradients together are clipped to
    this norm; a step whose norm is NaN or infinite is skipped whole.
use_ema: See `keras.optimizers.Optimizer`, as for all that follow.
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

# What the example of an optimizer for Keras 3 is for tf_keras.
_TRANSLATIONS = {
    "`keras.": "`tf_keras.",
    "keras.Variable(": "tf.Variable(",
    "keras.ops.convert_to_tensor(": "tf.constant(",
    "keras.ops.convert_to_numpy(x)": "x.numpy()",
}


_ABOUT_TF_KERAS = """\
    For models of tf_keras, whose optimizers have no gradient accumulation and
    no fixed loss scale: `gradient_accumulation_steps` and `loss_scale_factor`
    raise here.
"""


def fill_in(cls: type, framework: str) -> str | None:
    """Returns a class's docstring with its marks filled in.

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
        # A class of a user's own has the rate of what it is made of.
        for base in reversed(cls.__mro__):
            if base.__name__ in rates:
                text = text.replace(_RATE, f"{rates[base.__name__]:g}")
    return text


def translated(text: str | None, name: str) -> str | None:
    """Returns the docstring of an optimizer for Keras 3 as one for tf_keras.

    Args:
        text: The docstring, with its marks; `None` where Python strips them.
        name: Name of the class.
    """
    if text is None:
        return None
    for keras_words, words in _TRANSLATIONS.items():
        text = text.replace(keras_words, words)
    first, rest = text.split("\n", 1)
    text = f"{first}\n\n{_ABOUT_TF_KERAS}{rest}"
    example = "    Example:\n\n"
    imports = (
        "    >>> import tensorflow as tf\n"
        f"    >>> from keras_clip.tf_keras import {name}\n"
    )
    return text.replace(example, example + imports)


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
    """Returns the default of a class, or of what it is made of, as code."""
    for base in cls.__mro__:
        parameters = inspect.signature(base.__init__).parameters
        if argument in parameters:
            # 1e-5, not 1e-05.
            return repr(parameters[argument].default).replace("e-0", "e-")
    return ""


def _with_block(text, mark, block, section=""):
    """Returns a text with lines in place of a mark, indented as its line.

    Args:
        text: The docstring.
        mark: What is replaced.
        block: Lines that are indented as the mark.
        section: Lines that follow, indented by 4 less.
    """
    before, after = text.split(mark)
    line = before.rpartition("\n")[2]
    indent = line[: len(line) - len(line.lstrip())]
    block = textwrap.indent(block, indent).lstrip()
    return before + block + textwrap.indent(section, indent[4:]) + after
