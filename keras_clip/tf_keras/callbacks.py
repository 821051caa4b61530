"""The callbacks for tf_keras, made of those for Keras 3."""

from typing import TYPE_CHECKING

import tf_keras

from keras_clip import callbacks
from keras_clip.front_end.argument_docs import of_tf_keras

if TYPE_CHECKING:
    # They have the same signatures.
    from keras_clip.callbacks import *  # noqa: F403

__all__ = [*callbacks.__all__]


def _like(name):
    """Returns a class with the base that both frameworks share."""
    keras_class = getattr(callbacks, name)
    bases = (keras_class.__bases__[0], tf_keras.callbacks.Callback)
    members = {
        "__doc__": of_tf_keras(keras_class.__doc__),
        "__module__": __name__,
    }
    return type(name, bases, members)


globals().update({name: _like(name) for name in __all__})
