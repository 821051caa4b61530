"""ClipMonitor for tf_keras."""

import tf_keras

from keras_clip.callbacks import ClipMonitor as KerasClipMonitor
from keras_clip.callbacks.base_clip_monitor import BaseClipMonitor
from keras_clip.front_end.argument_docs import of_tf_keras


class ClipMonitor(BaseClipMonitor, tf_keras.callbacks.Callback):
    """Callback that does what `keras_clip.callbacks.ClipMonitor` does."""


ClipMonitor.__doc__ = of_tf_keras(KerasClipMonitor.__doc__)
