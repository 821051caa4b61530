"""Runs the pure step on NumPy, in float64 too, where Keras is asked to.

Keras keeps float64 to TensorFlow, as JAX does by default
(keras/src/backend/common/dtypes.py, 3.15.1). NumPy warns of divisions whose
result no step takes.
"""

import keras
import numpy as np
from keras.src.backend.common import dtypes

if keras.backend.backend() == "numpy":
    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    np.seterr(all="ignore")
