"""Fills in the parts that the docstrings of all optimizers share."""

import textwrap

from keras_clip.registry import OPTIMIZERS

_LEARNING_RATE = "{{learning rate}}"
_ARGUMENTS = "{{arguments of all}}"
_RATE = "{{starting rate}}"

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
nonfinite: `"skip"` or `"propagate"`. With `"skip"`, a gradient that is NaN
    or infinite, or whose square overflows, changes nothing: a global norm
    makes the optimizer skip the step, the norm of a variable that variable,
    and without a norm only the coordinate is skipped. With `"propagate"`,
    parameters and state become NaN or infinite. Defaults to `"skip"`.
jit_compile: Whether the update is compiled by XLA: `True`, `False`, or
    `"auto"`, which on TensorFlow compiles updates of at least 32,768
    elements: of a variable, or of the small ones together. Defaults to
    `"auto"`.
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
    arguments = _BOTH + (_KERAS if framework == "keras" else "")
    for mark, block in (
        (_LEARNING_RATE, _LEARNING_RATES[framework]),
        (_ARGUMENTS, arguments),
    ):
        text = _with_block(
            text, mark, block.replace("`keras.", f"`{framework}.")
        )
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
    example = "    Example:\n\n"
    imports = (
        "    >>> import tensorflow as tf\n"
        f"    >>> from keras_clip.tf_keras import {name}\n"
    )
    return text.replace(example, example + imports)


def _with_block(text, mark, block):
    """Returns a text with an indented block in place of a placeholder."""
    if mark not in text:
        return text
    before, after = text.split(mark)
    line = before.rpartition("\n")[2]
    indent = line[: len(line) - len(line.lstrip())]
    return before + textwrap.indent(block, indent).lstrip() + after
