"""Clipping optimizers for training attention models with Keras."""

from keras_clip import callbacks
from keras_clip import noise
from keras_clip import optimizers
from keras_clip import thresholds
from keras_clip.optimizers import *  # noqa: F403
from keras_clip.registry import get
from keras_clip.version import __version__

__all__ = [
    *optimizers.__all__,
    "__version__",
    "callbacks",
    "get",
    "noise",
    "thresholds",
]
