"""Parameters and gradients that the trajectories of the tests run on.

All of them are float32 numbers, kept in float64, so that runs in either dtype
and their oracle start from the same values.
"""

import numpy as np

STEPS = 20
SHAPES = ((4, 3), (5,), ())

# The sizes of gradients within one variable: from below epsilon to large.
SIZES = np.array([1e-7, 1e-5, 1e-3, 1.0, 10.0])


def parameters(shapes=SHAPES, seed=0):
    """Returns one array a shape."""
    rng = np.random.default_rng(seed)
    return [_float32(rng.normal(size=shape)) for shape in shapes]


def heavy_tailed_gradients(shapes=SHAPES, steps=STEPS, seed=1):
    """Returns a list with the gradients of each step.

    They are Student t with 1.2 degrees of freedom. The first row of every
    matrix is always zero, another one in every second step; the coordinates of
    a vector differ by eight orders of magnitude.
    """
    rng = np.random.default_rng(seed)
    return [
        [_gradient(rng, shape, step) for shape in shapes]
        for step in range(steps)
    ]


def alternating_gradients(shapes=SHAPES, steps=STEPS, seed=2):
    """Returns gradients in [½, 2] whose signs change at every step."""
    rng = np.random.default_rng(seed)
    return [
        [
            _float32((-1) ** step * rng.uniform(0.5, 2, shape))
            for shape in shapes
        ]
        for step in range(steps)
    ]


def _gradient(rng, shape, step):
    g = rng.standard_t(1.2, shape)
    if len(shape) == 2:
        g[0] = 0.0
        if step % 2:
            g[rng.integers(1, shape[0])] = 0.0
    if shape == SIZES.shape:
        g = g * SIZES
    return _float32(g)


def _float32(array):
    return np.asarray(array, np.float32).astype(np.float64)
