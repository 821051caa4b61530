"""Converts arguments and configs to thresholds, and back."""

import hashlib

import keras
import numpy as np

from keras_clip.thresholds.adaptive import AdaptiveThreshold
from keras_clip.thresholds.constant import ConstantThreshold
from keras_clip.thresholds.polynomial import PolynomialThreshold
from keras_clip.thresholds.scale import checked_scale
from keras_clip.thresholds.scale import listed
from keras_clip.thresholds.threshold import Threshold

_SCHEDULES = {
    cls.__name__: cls for cls in (PolynomialThreshold, AdaptiveThreshold)
}


def get(identifier: object) -> Threshold | None:
    """Returns the threshold that an optimizer's `clip_threshold` stands for.

    Args:
        identifier: A positive float, a list of arrays, a threshold, a dict as
            `serialize` returns, or `None`. The class of a threshold is one of
            this package or a registered subclass.

    Returns:
        A threshold, or `None` for no clipping.

    Raises:
        ValueError: If it is none of these.
    """
    if identifier is None or isinstance(identifier, Threshold):
        return identifier
    if isinstance(identifier, dict):
        cls = _SCHEDULES.get(identifier.get("class_name"))
        config = identifier.get("config", {})
        if cls is not None and isinstance(config, dict):
            if set(config) <= set(cls().get_config()):
                return cls(**config)
        if identifier.get("registered_name"):
            return _registered(identifier)
    return ConstantThreshold(
        checked_scale(
            "clip_threshold",
            identifier,
            "a positive number, None, a threshold of `keras_clip.thresholds`",
        )
    )


def serialize(threshold: Threshold | None) -> object:
    """Returns a JSON value from which `get` makes the threshold again.

    Args:
        threshold: A threshold, or `None`.

    Returns:
        A float, nested lists of floats, a dict, or `None`.
    """
    if isinstance(threshold, ConstantThreshold):
        return listed(threshold.scale)
    if threshold is None:
        return None
    name = type(threshold).__name__
    if _SCHEDULES.get(name) is type(threshold):
        return {"class_name": name, "config": threshold.get_config()}
    return keras.saving.serialize_keras_object(threshold)


def key_of(threshold: Threshold | None) -> object:
    """Returns a hashable key that is equal for equivalent thresholds.

    Args:
        threshold: A threshold, or `None`. Each instance of a user's subclass
            has a different key.
    """
    if threshold is None:
        return None
    if type(threshold) not in (ConstantThreshold, *_SCHEDULES.values()):
        return id(threshold)
    scale = threshold.scale
    if isinstance(scale, tuple):
        # Digests replace arrays, which may be as large as the model.
        scale = tuple((array.shape, _digest(array)) for array in scale)
    others = {**vars(threshold), "scale": None}
    return type(threshold), scale, tuple(sorted(others.items()))


def _digest(array):
    return hashlib.sha256(np.ascontiguousarray(array)).digest()


def _registered(identifier):
    """Returns a threshold of a class that is registered with Keras."""
    # It may have the name of a class of this package, but other arguments.
    try:
        threshold = keras.saving.deserialize_keras_object(identifier)
    except (TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
    else:
        if isinstance(threshold, Threshold):
            return threshold
        reason = f"it is a {type(threshold).__name__}"
    raise ValueError(
        "`clip_threshold` must be of a class that is registered by "
        "`keras.saving.register_keras_serializable` and takes what its "
        f"`get_config` returns: {reason} "
        f"Received: clip_threshold={identifier!r}"
    )
