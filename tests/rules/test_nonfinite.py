"""What a step leaves alone where its gradient is bad, on its own."""

import numpy as np
from keras import ops

from keras_clip.rules.nonfinite import keep_where_nonfinite


def test_old_values_stay_where_the_gradient_is_bad_and_new_ones_elsewhere():
    g = ops.convert_to_tensor([np.nan, 1.0, np.inf, 0.0, -np.inf])
    new = [ops.full((5,), value) for value in (1.0, np.nan)]
    old = [ops.full((5,), value) for value in (-1.0, -2.0)]
    x, slot = keep_where_nonfinite(g, new, old)
    np.testing.assert_array_equal(x, [-1, 1, -1, 1, -1])
    np.testing.assert_array_equal(slot, [-2, np.nan, -2, np.nan, -2])
