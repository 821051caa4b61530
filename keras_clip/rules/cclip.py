"""CClip, SGD clipped by coordinate: [Zhang et al. 2020], section 4.1.

[Zhang et al. 2020]: https://arxiv.org/abs/1912.03194
"""

from keras_clip.rules.gclip import GClipRule


class CClipRule(GClipRule):
    """Takes a step of CClip for one variable, as GClip by coordinate."""

    operators = ("coordinate",)
