"""Clip-AdaGrad-Norm's enrolment."""

import functools

from tests.support.enrolment import clipped
from tests.support.enrolment.record import Adaptive
from tests.support.enrolment.record import Case
from tests.support.enrolment.record import Enrolment
from tests.support.enrolment.record import Halving
from tests.support.enrolment.record import Limit
from tests.support.enrolment.record import PerVariable
from tests.support.enrolment.record import Polynomial
from tests.support.oracles.adagrad import AdagradOracle
from tests.support.oracles.clip_norm import ClipAdaGradNormOracle

VARIANTS = {
    "of clipped norms": {"clip_threshold": clipped.OF_CLIPPED},
    "threshold,decay": {
        "learning_rate": Halving(0.5, 6),
        "clip_threshold": clipped.GLOBAL,
        "weight_decay": 0.125,
    },
    "threshold,beta_1,corrected": {
        "learning_rate": 0.5,
        "beta_1": 0.875,
        "clip_threshold": clipped.GLOBAL,
        "initial_accumulator": 0.5,
        "bias_correction": True,
    },
    "None": {"learning_rate": 0.5, "clip_threshold": None},
    "polynomial,delay=1": {
        "learning_rate": 0.25,
        "clip_threshold": clipped.POLYNOMIAL,
        "delay": 1,
        "initial_accumulator": 4.0,
    },
    "adaptive,beta_1,delay=2,decay": {
        "learning_rate": Halving(0.5, 6),
        "beta_1": 0.5,
        "clip_threshold": clipped.ADAPTIVE,
        "delay": 2,
        "accumulator_scale": 0.25,
        "weight_decay": 0.125,
    },
    "adaptive,alpha=2": {
        "learning_rate": 0.5,
        "clip_threshold": Adaptive(0.5, 0.5, 2.0),
        "accumulator_scale": 4.0,
    },
    "None,beta_1,delay=5": {
        "learning_rate": 0.25,
        "beta_1": 0.75,
        "clip_threshold": None,
        "delay": 5,
        "initial_accumulator": 16.0,
    },
}

ENROLMENT = Enrolment(
    name="clip_adagrad_norm",
    oracle=ClipAdaGradNormOracle,
    variants=VARIANTS,
    few=("threshold,beta_1,corrected", "adaptive,beta_1,delay=2,decay"),
    config={
        "learning_rate": 1.0,
        "beta_1": 0.0,
        "clip_threshold": 1.0,
        "delay": 0,
        "initial_accumulator": None,
        "accumulator_scale": 1.0,
        "bias_correction": False,
    },
    golden={
        "learning_rate": 0.5,
        "beta_1": 0.5,
        "clip_threshold": Polynomial(2.0, 0.5),
        "bias_correction": True,
        "accumulator_scale": 0.5,
        "nonfinite": "propagate",
        "weight_decay": 0.125,
        "exclude_from_weight_decay": [0, 3],
    },
    heavy_tails={
        "clip_adagrad_norm": Case({"learning_rate": 0.3}),
        "clip_adagrad_norm, delay": Case({"learning_rate": 0.3, "delay": 1}),
    },
    limits={
        # One coordinate alone makes the norm; epsilon vanishes beside it.
        "AdaGrad": Limit(
            arguments={
                "learning_rate": 0.25,
                "clip_threshold": None,
                "initial_accumulator": 0.5,
            },
            reference=functools.partial(
                PerVariable,
                AdagradOracle,
                learning_rate=0.25,
                initial_accumulator_value=0.25,
                epsilon=2.0**-100,
            ),
            gradients=clipped.gradients_of_one_coordinate,
        ),
    },
    errors=(
        *clipped.unit_interval_errors("beta_1"),
        *clipped.NORM_ERRORS,
    ),
    delays=(0, 1, 2, 3, 7),
    training_rate=0.5,
    takes_a_norm=True,
)
