"""CClip's enrolment."""

import functools

import numpy as np

from tests.support.enrolment import clipped
from tests.support.enrolment.gclip import sgd_limit
from tests.support.enrolment.record import Adaptive
from tests.support.enrolment.record import Case
from tests.support.enrolment.record import Enrolment
from tests.support.enrolment.record import Halving
from tests.support.enrolment.record import Limit
from tests.support.enrolment.record import PerVariable
from tests.support.enrolment.record import Polynomial
from tests.support.gradients import SHAPES
from tests.support.gradients import alternating_gradients
from tests.support.oracles.clipped_descent import CClipOracle

VARIANTS = {
    "of clipped norms": {"clip_threshold": clipped.OF_CLIPPED},
    "threshold,momentum,decay": {
        "learning_rate": Halving(0.125, 6),
        "clip_threshold": clipped.COORDINATE,
        "momentum": 0.875,
        "weight_decay": 0.25,
    },
    "polynomial": {
        "learning_rate": 0.125,
        "clip_threshold": Polynomial(0.5, 0.5),
    },
    "adaptive": {
        "learning_rate": 0.125,
        "clip_threshold": Adaptive(0.25, 0.75, 1.0),
    },
    "adaptive,alpha=1.5,momentum,decay": {
        "learning_rate": Halving(0.125, 6),
        "clip_threshold": Adaptive(0.25, 0.5, 1.5),
        "momentum": 0.5,
        "weight_decay": 0.125,
    },
    "floats by variable": {
        "learning_rate": 0.125,
        "clip_threshold": [0.5, 2.0, 0.25],
        "momentum": 0.5,
    },
    "arrays": {
        "learning_rate": 0.125,
        "clip_threshold": clipped.thresholds_by_coordinate(),
    },
    "polynomial of arrays,momentum,decay": {
        "learning_rate": Halving(0.125, 6),
        "clip_threshold": clipped.POLYNOMIAL_BY_COORDINATE,
        "momentum": 0.75,
        "weight_decay": 0.125,
    },
    "None,momentum": {
        "learning_rate": 0.0078125,
        "clip_threshold": None,
        "momentum": 0.875,
    },
    "projection": {
        "learning_rate": 0.25,
        "clip_threshold": clipped.COORDINATE,
        "projection_radius": 4.0,
    },
    "arrays,momentum,projection": {
        "learning_rate": 0.125,
        "clip_threshold": clipped.thresholds_by_coordinate(),
        "momentum": 0.5,
        "projection_radius": 4.0,
    },
}


class _SignDescent:
    """Steps of one length in every coordinate."""

    def __init__(self, x, learning_rate, threshold):
        self.x = np.array(x, np.float64)
        self.length = learning_rate * threshold

    def step(self, g, learning_rate=None):
        self.x = self.x - self.length * np.sign(g)
        return self.x


def _sign_limit(clip_threshold):
    return Limit(
        arguments={"learning_rate": 0.25, "clip_threshold": clip_threshold},
        reference=functools.partial(
            PerVariable, _SignDescent, learning_rate=0.25, threshold=0.5
        ),
        gradients=alternating_gradients,
    )


ENROLMENT = Enrolment(
    name="cclip",
    oracle=CClipOracle,
    variants=VARIANTS,
    few=(
        "threshold,momentum,decay",
        "polynomial",
        "adaptive,alpha=1.5,momentum,decay",
    ),
    config={
        "learning_rate": 0.1,
        "clip_threshold": 0.1,
        "momentum": 0.0,
        "projection_radius": None,
    },
    golden={
        "learning_rate": 0.125,
        "clip_threshold": Polynomial(clipped.BY_ROW, -0.5),
        "momentum": 0.75,
        "weight_decay": 0.25,
        "exclude_from_weight_decay": ["kernel"],
        "monitor": True,
    },
    heavy_tails={
        "cclip": Case({"learning_rate": 0.03, "clip_threshold": 0.1}),
    },
    limits={
        "SGD": sgd_limit(0.0),
        "SGD with momentum": sgd_limit(0.875),
        "SGD, thresholds never reached": sgd_limit(
            0.5, clip_threshold=[np.full(shape, 1024.0) for shape in SHAPES]
        ),
        "sign descent, threshold always exceeded": _sign_limit(0.5),
        "sign descent, thresholds always exceeded": _sign_limit(
            [np.full(shape, 0.5) for shape in SHAPES]
        ),
    },
    errors=(
        *clipped.unit_interval_errors("momentum"),
        *clipped.positive_errors("projection_radius"),
    ),
    training_rate=0.25,
    clipping="coordinate",
)
