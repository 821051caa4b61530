"""Clip-Adam's enrolment."""

import functools

from tests.support.enrolment import clipped
from tests.support.enrolment.record import Adaptive
from tests.support.enrolment.record import Case
from tests.support.enrolment.record import Enrolment
from tests.support.enrolment.record import Halving
from tests.support.enrolment.record import Limit
from tests.support.enrolment.record import PerVariable
from tests.support.enrolment.record import Polynomial
from tests.support.gradients import heavy_tailed_gradients
from tests.support.oracles.adam import AdamOracle
from tests.support.oracles.clip_adam import ClipAdamOracle

VARIANTS = {
    **clipped.OF_CLIPPED_VARIANTS,
    "global,polynomial,decay": {
        "learning_rate": Halving(0.125, 6),
        "clip_threshold": clipped.POLYNOMIAL,
        "weight_decay": 0.125,
    },
    "global,adaptive,delay=1": {
        "learning_rate": 0.015625,
        "clip_threshold": clipped.ADAPTIVE,
        "delay": 1,
    },
    "layer,threshold": {
        "learning_rate": 0.0625,
        "clip_threshold": clipped.LAYER,
        "clipping": "layer",
    },
    "layer,adaptive,delay=1,decay": {
        "learning_rate": Halving(0.0625, 6),
        "beta_2": 0.75,
        "clip_threshold": clipped.ADAPTIVE,
        "clipping": "layer",
        "delay": 1,
        "initial_accumulator_value": 0.5,
        "weight_decay": 0.125,
    },
    "layer,polynomial,betas=0": {
        "learning_rate": 0.0625,
        "beta_1": 0.0,
        "beta_2": 0.0,
        "epsilon": 0.125,
        "clip_threshold": Polynomial(2.0, 0.5),
        "clipping": "layer",
    },
    "coordinate,threshold": {
        "learning_rate": 1.0,
        "beta_1": 0.5,
        "clip_threshold": clipped.COORDINATE,
        "clipping": "coordinate",
        "initial_accumulator_value": 0.25,
    },
    "coordinate,adaptive,alpha=1.5": {
        "learning_rate": 0.0625,
        "clip_threshold": Adaptive(0.25, 0.5, 1.5),
        "clipping": "coordinate",
    },
    "coordinate,arrays,delay=1": {
        "learning_rate": 0.015625,
        "clip_threshold": clipped.thresholds_by_coordinate(),
        "clipping": "coordinate",
        "delay": 1,
    },
    "coordinate,polynomial of arrays,decay": {
        "learning_rate": Halving(0.125, 6),
        "clip_threshold": clipped.POLYNOMIAL_BY_COORDINATE,
        "clipping": "coordinate",
        "weight_decay": 0.125,
    },
    "None,decay": {
        "learning_rate": Halving(0.125, 6),
        "clip_threshold": None,
        "weight_decay": 0.125,
    },
    "None,layer,delay=1": {
        "learning_rate": 0.015625,
        "beta_1": 0.5,
        "beta_2": 0.875,
        "clip_threshold": None,
        "clipping": "layer",
        "delay": 1,
        "initial_accumulator_value": 0.125,
    },
}


def adam_limit(**arguments):
    """With an epsilon that vanishes, its place in the equation does not tell.

    Args:
        **arguments: Those with which nothing is clipped.
    """
    constants = {
        "learning_rate": 0.0625,
        "beta_1": 0.9,
        "beta_2": 0.99,
        "epsilon": 2.0**-100,
    }
    return Limit(
        arguments={**constants, **arguments},
        reference=functools.partial(
            PerVariable, AdamOracle, bias_correction=True, **constants
        ),
        gradients=heavy_tailed_gradients,
    )


ENROLMENT = Enrolment(
    name="clip_adam",
    oracle=ClipAdamOracle,
    variants=VARIANTS,
    few=(
        "global,polynomial,decay",
        "layer,adaptive,delay=1,decay",
        "coordinate,threshold",
    ),
    config={
        "learning_rate": 1e-3,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "epsilon": 1e-7,
        "clip_threshold": 1.0,
        "clipping": "global",
        "delay": 0,
        "initial_accumulator_value": 0.0,
    },
    golden={
        "learning_rate": 0.0625,
        "beta_1": 0.75,
        "beta_2": 0.875,
        "epsilon": 0.0625,
        "clip_threshold": Adaptive(0.5, 0.75, 1.5),
        "clipping": "layer",
        "delay": 1,
        "initial_accumulator_value": 0.25,
        "weight_decay": 0.125,
        "exclude_from_weight_decay": ["first"],
        "clipvalue": 4.0,
    },
    heavy_tails={
        "clip_adam": Case({"learning_rate": 0.003}),
        "clip_adam, layer": Case({"learning_rate": 0.003, "clipping": "layer"}),
        "clip_adam, coordinate, delay": Case(
            {"learning_rate": 0.001, "delay": 1, **clipped.BY_COORDINATE}
        ),
    },
    limits={
        "Adam": adam_limit(clip_threshold=None),
        "Adam, threshold never reached": adam_limit(clip_threshold=1024.0),
        "Adam, by layer": adam_limit(clip_threshold=1024.0, clipping="layer"),
    },
    errors=(
        *clipped.unit_interval_errors("beta_1", "beta_2"),
        *clipped.COORDINATE_ERRORS,
    ),
    delays=(0, 1),
    training_rate=0.03125,
)
