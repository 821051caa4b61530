"""The version of keras_clip, in its one place."""

__version__ = "0.1.0"
