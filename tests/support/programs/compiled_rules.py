"""Counts the rules that optimizers compile on JAX."""

import numpy as np

from keras_clip.optimizers.compiled_on_jax import _compiled
from tests.support.front_ends import KERAS


def main():
    """Returns what is kept after three optimizers alike and many others."""
    _compiled.cache_clear()
    for beta_1 in [0.5] * 3 + [place / 64 for place in range(18)]:
        optimizer = KERAS.optimizer("clip_adam", beta_1=beta_1)
        KERAS.apply(optimizer, [np.ones(3)], KERAS.variables([np.ones(3)]))
    return _compiled.cache_info()._asdict()
