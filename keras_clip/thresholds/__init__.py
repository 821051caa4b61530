"""Clipping thresholds: constant, by a schedule, or adapted to the gradients.

A threshold is a *scale*, one number or one array for each variable, times a
*growth*, which depends on the number of the update and on the norms of the
gradients. Its numbers become variables of the optimizer, so that changing them
between steps recompiles nothing.
"""

from keras_clip.thresholds.adaptive import AdaptiveThreshold
from keras_clip.thresholds.constant import ConstantThreshold
from keras_clip.thresholds.identifiers import get
from keras_clip.thresholds.identifiers import key_of
from keras_clip.thresholds.identifiers import serialize
from keras_clip.thresholds.polynomial import PolynomialThreshold
from keras_clip.thresholds.threshold import Threshold

__all__ = [
    "AdaptiveThreshold",
    "ConstantThreshold",
    "PolynomialThreshold",
    "Threshold",
    "get",
    "key_of",
    "serialize",
]
