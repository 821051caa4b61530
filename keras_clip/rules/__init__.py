"""The equations: pure functions of arrays, one module per algorithm.

A rule is a frozen dataclass of an algorithm's hyperparameters. Calling it maps
the values before a step to the values after it; it knows nothing of variables,
devices, distribution or serialization. Both front ends run the same rules.
"""

from keras_clip.rules.acclip import ACClipRule
from keras_clip.rules.cclip import CClipRule
from keras_clip.rules.clip_adagrad import ClipAdaGradRule
from keras_clip.rules.clip_adagrad_norm import ClipAdaGradNormRule
from keras_clip.rules.clip_adam import ClipAdamRule
from keras_clip.rules.clip_adam_norm import ClipAdamNormRule
from keras_clip.rules.gclip import GClipRule

__all__ = [
    "ACClipRule",
    "CClipRule",
    "ClipAdaGradNormRule",
    "ClipAdaGradRule",
    "ClipAdamNormRule",
    "ClipAdamRule",
    "GClipRule",
]
