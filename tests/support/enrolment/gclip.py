"""GClip's enrolment."""

import functools

from tests.support.enrolment import clipped
from tests.support.enrolment.record import Adaptive
from tests.support.enrolment.record import Case
from tests.support.enrolment.record import Enrolment
from tests.support.enrolment.record import Halving
from tests.support.enrolment.record import Limit
from tests.support.enrolment.record import PerVariable
from tests.support.enrolment.record import Polynomial
from tests.support.gradients import alternating_gradients
from tests.support.gradients import heavy_tailed_gradients
from tests.support.oracles.clipped_descent import GClipOracle
from tests.support.oracles.clipping import norm
from tests.support.oracles.sgd import SGDOracle

VARIANTS = {
    "of clipped norms": {"clip_threshold": clipped.OF_CLIPPED},
    "threshold": {
        "learning_rate": 0.0625,
        "clip_threshold": clipped.GLOBAL,
    },
    "threshold,momentum,decay": {
        "learning_rate": Halving(0.0625, 6),
        "clip_threshold": clipped.GLOBAL,
        "momentum": 0.875,
        "weight_decay": 0.25,
    },
    "polynomial": {
        "learning_rate": 0.0625,
        "clip_threshold": clipped.POLYNOMIAL,
    },
    "adaptive,momentum": {
        "learning_rate": 0.0625,
        "clip_threshold": clipped.ADAPTIVE,
        "momentum": 0.5,
    },
    "adaptive,alpha=1.5,decay": {
        "learning_rate": Halving(0.125, 7),
        "clip_threshold": Adaptive(0.5, 0.75, 1.5),
        "weight_decay": 0.125,
    },
    "adaptive,alpha=2": {
        "learning_rate": 0.0625,
        "clip_threshold": Adaptive(0.5, 0.5, 2.0),
    },
    "adaptive by default": {
        "learning_rate": 0.0625,
        "clip_threshold": Adaptive(),
    },
    "None,momentum": {
        "learning_rate": 0.0078125,
        "clip_threshold": None,
        "momentum": 0.875,
    },
    "projection": {
        "learning_rate": 0.0625,
        "clip_threshold": clipped.GLOBAL,
        "projection_radius": 4.0,
    },
    "None,projection,decay": {
        "learning_rate": Halving(0.03125, 6),
        "clip_threshold": None,
        "projection_radius": 4.0,
        "weight_decay": 0.25,
    },
    "polynomial,momentum,projection": {
        "learning_rate": 0.0625,
        "clip_threshold": clipped.POLYNOMIAL,
        "momentum": 0.5,
        "projection_radius": 4.0,
    },
}


class _NormalizedSGD:
    """Steps of one length along the gradients of all variables."""

    def __init__(self, variables, learning_rate, length):
        self.x = variables
        self.step_length = learning_rate * length

    def step(self, gradients, learning_rate=None):
        length = norm(gradients)
        self.x = [
            x - self.step_length * g / length
            for x, g in zip(self.x, gradients, strict=True)
        ]
        return self.x


def sgd_limit(momentum, **arguments):
    """Nothing is clipped."""
    arguments = {
        "learning_rate": 0.0625,
        "momentum": momentum,
        "clip_threshold": None,
        **arguments,
    }
    return Limit(
        arguments=arguments,
        reference=functools.partial(
            PerVariable, SGDOracle, learning_rate=0.0625, momentum=momentum
        ),
        gradients=heavy_tailed_gradients,
    )


ENROLMENT = Enrolment(
    name="gclip",
    oracle=GClipOracle,
    variants=VARIANTS,
    few=(
        "threshold,momentum,decay",
        "adaptive,alpha=1.5,decay",
        "polynomial,momentum,projection",
    ),
    config={
        "learning_rate": 0.1,
        "clip_threshold": 1.0,
        "momentum": 0.0,
        "projection_radius": None,
    },
    golden={
        "learning_rate": 0.125,
        "clip_threshold": Polynomial(2.0, 0.25),
        "momentum": 0.5,
        "projection_radius": 3.0,
        "weight_decay": 0.125,
        "exclude_from_weight_decay": ["second"],
        "use_ema": True,
        "ema_momentum": 0.5,
    },
    heavy_tails={
        "gclip": Case({"learning_rate": 0.01}),
        "gclip, momentum": Case({"learning_rate": 0.001, "momentum": 0.9}),
    },
    limits={
        "SGD": sgd_limit(0.0),
        "SGD with momentum": sgd_limit(0.875),
        "SGD, threshold never reached": sgd_limit(0.5, clip_threshold=1024.0),
        "SGD, ball never left": sgd_limit(0.5, projection_radius=1024.0),
        "normalized SGD, threshold always exceeded": Limit(
            arguments={"learning_rate": 0.25, "clip_threshold": 0.5},
            reference=functools.partial(
                _NormalizedSGD, learning_rate=0.25, length=0.5
            ),
            gradients=alternating_gradients,
        ),
    },
    errors=(
        *clipped.unit_interval_errors("momentum"),
        *clipped.positive_errors("projection_radius"),
    ),
    training_rate=0.25,
)
