"""Thresholds, variants and errors of clipped optimizers.

All numbers are dyadic, thresholds above all: what an optimizer keeps in a
float32 variable is then what its oracle computes with.
"""

import numpy as np

from tests.support.enrolment.record import Adaptive
from tests.support.enrolment.record import Polynomial
from tests.support.gradients import SHAPES
from tests.support.gradients import alternating_gradients
from tests.support.models import SHAPES as MODEL_SHAPES

# Of the norms of the heavy-tailed gradients, about half are larger.
GLOBAL, LAYER, COORDINATE = 16.0, 4.0, 0.5

# Thresholds for the variables of the model of the golden files.
BY_ROW = [2.0 ** np.arange(-2, shape[-1] - 2) for shape in MODEL_SHAPES]


def unit_interval_errors(*names):
    """Returns the errors of numbers in [0, 1)."""
    return tuple(
        ({name: value}, f"`{name}` must be a number in [0, 1)")
        for name in names
        for value in (1, -0.5, "0.9", True, None)
    )


def positive_errors(*names):
    """Returns the errors of numbers in (0, inf)."""
    return tuple(
        ({name: value}, f"`{name}` must be a number in (0, inf)")
        for name in names
        for value in (0, -1.0, float("nan"), float("inf"), "1", True)
    )


def gradients_of_one_coordinate():
    """Returns gradients that are zero but in one coordinate, never there."""
    result = alternating_gradients()
    for gradients in result:
        kept = gradients[0][2, 1]
        for g in gradients:
            g[...] = 0.0
        gradients[0][2, 1] = kept
    return result


def thresholds_by_coordinate(seed=5):
    """Returns an array for each variable, one of them of a row to broadcast."""
    rng = np.random.default_rng(seed)
    shapes = (SHAPES[0][1:], *SHAPES[1:])
    return [2.0 ** rng.integers(-4, 4, shape) for shape in shapes]


def one_of_errors(name, choices, *values):
    """Returns the errors of values that are none of the choices."""
    start = f"`{name}` must be one of {choices}"
    return tuple(({name: value}, start) for value in values)


NORM_ERRORS = (
    *(
        ({"delay": value}, "`delay` must be an integer in [0, inf)")
        for value in (-1, 1.5, "1", True, None)
    ),
    *positive_errors("initial_accumulator", "accumulator_scale"),
    *one_of_errors("bias_correction", "False, True", 1, None),
)

COORDINATE_ERRORS = (
    *positive_errors("epsilon"),
    *one_of_errors(
        "clipping", "'global', 'layer', 'coordinate'", "Global", None, 1
    ),
    *one_of_errors("delay", "0, 1", 2, -1, True, 1.0, None),
    *(
        (
            {"initial_accumulator_value": value},
            "`initial_accumulator_value` must be a number in [0, inf)",
        )
        for value in (-1.0, float("nan"), float("inf"), "0", True)
    ),
)

POLYNOMIAL = Polynomial(scale=8.0, power=0.25)
POLYNOMIAL_BY_COORDINATE = Polynomial(thresholds_by_coordinate(), power=-0.5)
BY_COORDINATE = {"clipping": "coordinate", "clip_threshold": 0.1}
ADAPTIVE = Adaptive(multiplier=0.75, beta=0.75, alpha=1.0)
OF_CLIPPED = Adaptive(1.25, 0.75, 1.5, of="clipped", warmup_steps=3)
OF_CLIPPED_VARIANTS = {
    f"{clipping},of clipped norms": {
        "learning_rate": 0.0625,
        "clip_threshold": OF_CLIPPED,
        "clipping": clipping,
    }
    for clipping in ("layer", "coordinate")
}
