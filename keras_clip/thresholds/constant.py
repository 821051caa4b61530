"""A threshold that stays as it is."""

from keras_clip.thresholds.threshold import Threshold


class ConstantThreshold(Threshold):
    """The threshold that a float or a list of arrays stands for."""
