"""A threshold that does not change by itself."""

from keras_clip.thresholds.threshold import Threshold


class ConstantThreshold(Threshold):
    """Threshold that is a float or an array for each variable."""
