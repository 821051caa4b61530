"""The optimizers for Keras 3, one class a module."""

from keras_clip.optimizers.acclip import ACClip

__all__ = ["ACClip"]
