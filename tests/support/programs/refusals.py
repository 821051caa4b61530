"""Tries what the optimizers refuse on any backend but TensorFlow."""

from tests.support.enrolment import ENROLMENTS
from tests.support.front_ends import KERAS


def error_of(call):
    """Returns the type and the message of the error of a call, or `None`."""
    try:
        call()
    except (ImportError, ValueError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def import_tf_keras_front_end():
    import keras_clip.tf_keras  # noqa: F401


def main():
    """Returns the errors."""
    return {
        "clip_per_replica": {
            name: error_of(
                lambda name=name: KERAS.optimizer(name, clip_per_replica=True)
            )
            for name in ENROLMENTS
        },
        "tf_keras": error_of(import_tf_keras_front_end),
    }
