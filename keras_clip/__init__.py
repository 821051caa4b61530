"""keras_clip: clipping optimizers for training attention models with Keras."""

from keras_clip.optimizers import ACClip
from keras_clip.registry import get
from keras_clip.version import __version__

__all__ = ["ACClip", "__version__", "get"]
