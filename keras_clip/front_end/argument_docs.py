"""Fills in what the optimizers' docstrings share or take of the registry."""

import inspect
import textwrap

from keras_clip.registry import OPTIMIZERS

_LEARNING_RATE = "{{learning rate}}"
_ARGUMENTS = "{{arguments of all}}"
_RATE = "{{starting rate}}"
_DECAY = "{{weight decay}}"

_LEARNING_RATES = {
    "keras": """\
A float, a
    `keras.optimizers.schedules.LearningRateSchedule` instance, or a
    callable that takes no arguments and returns the value to use.""",
    "tf_keras": """\
A float or a
    `keras.optimizers.schedules.LearningRateSchedule` instance.""",
}

_BOTH = """\
weight_decay: Float or `None`, decoupled weight decay. Defaults to
    `{{weight decay}}`.
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
    arguments = _BOTH + (_KERAS if framework == "keras" else "") + _LAST
    arguments = arguments.replace(_DECAY, str(_default_decay(cls)))
    for mark, block in (
        (_LEARNING_RATE, _LEARNING_RATES[framework]),
        (_ARGUMENTS, arguments),
    ):
        text = _with_block(
            text, mark, block.replace("`keras.", f"`{framework}.")
        )
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


def _default_decay(cls):
    """Returns the default weight decay of a class, or of what it is made of."""
    for base in cls.__mro__:
        parameters = inspect.signature(base.__init__).parameters
        if "weight_decay" in parameters:
            return parameters["weight_decay"].default
    return None


def _with_block(text, mark, block):
    """Returns a text with lines in place of a mark, indented as its line."""
    if mark not in text:
        return text
    before, after = text.split(mark)
    line = before.rpartition("\n")[2]
    indent = line[: len(line) - len(line.lstrip())]
    return before + textwrap.indent(block, indent).lstrip() + after
