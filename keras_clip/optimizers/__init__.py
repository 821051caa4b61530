"""The optimizers for Keras 3, one class per module."""

# `python -m tests.support.listings` writes what follows.
from keras_clip.optimizers.acclip import ACClip
from keras_clip.optimizers.cclip import CClip
from keras_clip.optimizers.clip_adagrad import ClipAdaGrad
from keras_clip.optimizers.clip_adagrad_norm import ClipAdaGradNorm
from keras_clip.optimizers.clip_adam import ClipAdam
from keras_clip.optimizers.clip_adam_norm import ClipAdamNorm
from keras_clip.optimizers.gclip import GClip

__all__ = [
    "ACClip",
    "CClip",
    "ClipAdaGrad",
    "ClipAdaGradNorm",
    "ClipAdam",
    "ClipAdamNorm",
    "GClip",
]
