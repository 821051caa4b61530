"""Clip-AdaGrad's enrolment."""

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
from tests.support.oracles.adagrad import AdagradOracle
from tests.support.oracles.clip_adagrad import ClipAdaGradOracle

VARIANTS = {
    **clipped.OF_CLIPPED_VARIANTS,
    "global,threshold,delay=1": {
        "learning_rate": 0.015625,
        "clip_threshold": clipped.GLOBAL,
        "delay": 1,
    },
    "global,adaptive,beta_1,decay": {
        "learning_rate": Halving(0.125, 6),
        "beta_1": 0.875,
        "clip_threshold": clipped.ADAPTIVE,
        "weight_decay": 0.125,
    },
    "layer,threshold,beta_1": {
        "learning_rate": 0.125,
        "beta_1": 0.5,
        "clip_threshold": clipped.LAYER,
        "clipping": "layer",
        "initial_accumulator_value": 0.0,
    },
    "layer,adaptive,decay": {
        "learning_rate": Halving(0.125, 6),
        "clip_threshold": Adaptive(0.5, 0.75, 1.5),
        "clipping": "layer",
        "weight_decay": 0.125,
    },
    "layer,polynomial": {
        "learning_rate": 0.125,
        "epsilon": 0.25,
        "clip_threshold": Polynomial(2.0, 0.5),
        "clipping": "layer",
        "initial_accumulator_value": 1.0,
    },
    "coordinate,threshold,delay=1,decay": {
        "learning_rate": Halving(0.0625, 6),
        "clip_threshold": clipped.COORDINATE,
        "clipping": "coordinate",
        "delay": 1,
        "initial_accumulator_value": 0.25,
        "weight_decay": 0.125,
    },
    "coordinate,adaptive": {
        "learning_rate": 0.125,
        "clip_threshold": Adaptive(0.25, 0.5, 1.0),
        "clipping": "coordinate",
    },
    "coordinate,arrays": {
        "learning_rate": 0.125,
        "clip_threshold": clipped.thresholds_by_coordinate(),
        "clipping": "coordinate",
    },
    "coordinate,polynomial of arrays,beta_1,delay=1": {
        "learning_rate": 0.015625,
        "beta_1": 0.875,
        "clip_threshold": clipped.POLYNOMIAL_BY_COORDINATE,
        "clipping": "coordinate",
        "delay": 1,
    },
    "None,beta_1": {
        "learning_rate": 0.125,
        "beta_1": 0.5,
        "clip_threshold": None,
        "initial_accumulator_value": 0.0,
    },
}


def adagrad_limit(initial_accumulator_value, **arguments):
    constants = {
        "learning_rate": 0.125,
        "initial_accumulator_value": initial_accumulator_value,
        "epsilon": 1e-7,
    }
    return Limit(
        arguments={**constants, **arguments},
        reference=functools.partial(PerVariable, AdagradOracle, **constants),
        gradients=heavy_tailed_gradients,
    )


ENROLMENT = Enrolment(
    name="clip_adagrad",
    oracle=ClipAdaGradOracle,
    variants=VARIANTS,
    few=(
        "global,adaptive,beta_1,decay",
        "layer,threshold,beta_1",
        "coordinate,threshold,delay=1,decay",
    ),
    config={
        "learning_rate": 0.1,
        "beta_1": 0.0,
        "initial_accumulator_value": 0.1,
        "epsilon": 1e-7,
        "clip_threshold": 1.0,
        "clipping": "global",
        "delay": 0,
    },
    golden={
        "learning_rate": 0.125,
        "beta_1": 0.5,
        "initial_accumulator_value": 0.25,
        "epsilon": 0.0625,
        "clip_threshold": clipped.BY_ROW,
        "clipping": "coordinate",
        "delay": 1,
        "jit_compile": False,
        "monitor": True,
        "weight_decay": 0.125,
        "exclude_from_weight_decay": ["bias"],
    },
    heavy_tails={
        "clip_adagrad": Case({"learning_rate": 0.1}),
        "clip_adagrad, coordinate": Case(
            {"learning_rate": 0.1, **clipped.BY_COORDINATE}
        ),
    },
    limits={
        "AdaGrad": adagrad_limit(0.1, clip_threshold=None),
        "AdaGrad from zero": adagrad_limit(0.0, clip_threshold=None),
        "AdaGrad, by coordinate": adagrad_limit(
            0.1, clip_threshold=1024.0, clipping="coordinate"
        ),
    },
    errors=(
        *clipped.unit_interval_errors("beta_1"),
        *clipped.COORDINATE_ERRORS,
    ),
    delays=(0, 1),
    training_rate=0.25,
)
