"""The same optimizers for tf_keras, which TF Model Garden is built on.

tf_keras rejects Keras 3 optimizers, hence this front end. It runs the same
rules through the TensorFlow backend of Keras 3.
"""

import keras

if keras.backend.backend() != "tensorflow":
    raise ImportError(
        "`keras_clip.tf_keras` needs Keras on the TensorFlow backend. Set the "
        "environment variable KERAS_BACKEND to tensorflow before anything "
        "imports keras. Received: "
        f"keras.backend.backend()={keras.backend.backend()!r}"
    )
try:
    import tf_keras as _  # noqa: F401
except ImportError as error:
    raise ImportError(
        "`keras_clip.tf_keras` needs TensorFlow and tf_keras: "
        "pip install tensorflow tf_keras"
    ) from error

from keras_clip.tf_keras import callbacks
from keras_clip.tf_keras.acclip import ACClip
from keras_clip.tf_keras.cclip import CClip
from keras_clip.tf_keras.clip_adagrad import ClipAdaGrad
from keras_clip.tf_keras.clip_adagrad_norm import ClipAdaGradNorm
from keras_clip.tf_keras.clip_adam import ClipAdam
from keras_clip.tf_keras.clip_adam_norm import ClipAdamNorm
from keras_clip.tf_keras.gclip import GClip

__all__ = [
    "ACClip",
    "CClip",
    "ClipAdaGrad",
    "ClipAdaGradNorm",
    "ClipAdam",
    "ClipAdamNorm",
    "GClip",
    "callbacks",
]
