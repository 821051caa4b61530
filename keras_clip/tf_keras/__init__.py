"""The optimizers and callbacks for tf_keras, on which TF Model Garden runs.

tf_keras rejects Keras 3 optimizers. Those of this front end run the same rules
through the TensorFlow backend of Keras 3.
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

from typing import TYPE_CHECKING

from keras_clip.registry import OPTIMIZERS
from keras_clip.tf_keras import callbacks
from keras_clip.tf_keras.base import ClippingOptimizer

if TYPE_CHECKING:
    # They have the same signatures.
    from keras_clip.optimizers import *  # noqa: F403

globals().update(
    {
        info.class_name: ClippingOptimizer.like(info.keras_class)
        for info in OPTIMIZERS.values()
    }
)

__all__ = ["callbacks", *(info.class_name for info in OPTIMIZERS.values())]
