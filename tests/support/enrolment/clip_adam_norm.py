"""Clip-Adam-Norm's enrolment."""

import functools

from tests.support.enrolment import clipped
from tests.support.enrolment.record import Adaptive
from tests.support.enrolment.record import Case
from tests.support.enrolment.record import Enrolment
from tests.support.enrolment.record import Halving
from tests.support.enrolment.record import Limit
from tests.support.enrolment.record import PerVariable
from tests.support.oracles.adam import AdamOracle
from tests.support.oracles.clip_norm import ClipAdamNormOracle

VARIANTS = {
    "of clipped norms": {"clip_threshold": clipped.OF_CLIPPED},
    "threshold,betas=0": {
        "learning_rate": 0.25,
        "beta_1": 0.0,
        "beta_2": 0.0,
        "clip_threshold": clipped.GLOBAL,
        "accumulator_scale": 4.0,
    },
    "threshold,corrected,decay": {
        "learning_rate": Halving(0.0625, 6),
        "clip_threshold": clipped.GLOBAL,
        "initial_accumulator": 0.125,
        "bias_correction": True,
        "weight_decay": 0.25,
    },
    "None,corrected": {
        "learning_rate": 0.25,
        "clip_threshold": None,
        "bias_correction": True,
    },
    "polynomial,delay=1": {
        "learning_rate": 0.125,
        "beta_2": 0.75,
        "clip_threshold": clipped.POLYNOMIAL,
        "delay": 1,
        "initial_accumulator": 8.0,
    },
    "adaptive,delay=2,scale": {
        "learning_rate": 0.25,
        "beta_1": 0.5,
        "beta_2": 0.75,
        "clip_threshold": clipped.ADAPTIVE,
        "delay": 2,
        "accumulator_scale": 0.5,
    },
    "adaptive,alpha=1.5,decay": {
        "learning_rate": Halving(0.25, 6),
        "beta_2": 0.5,
        "clip_threshold": Adaptive(0.5, 0.75, 1.5),
        "weight_decay": 0.125,
    },
    "None,delay=5": {
        "learning_rate": 0.125,
        "beta_2": 0.75,
        "clip_threshold": None,
        "delay": 5,
    },
    "threshold,beta_1=0,delay=1": {
        "learning_rate": 0.25,
        "beta_1": 0.0,
        "beta_2": 0.5,
        "clip_threshold": clipped.GLOBAL,
        "delay": 1,
    },
}


def _adam_limit(bias_correction):
    """One coordinate alone makes the norm.

    The optimizer has a start where Adam has none, and no epsilon where Adam
    has one: both vanish beside the squares of the gradients.
    """
    arguments = {
        "learning_rate": 0.0625,
        "beta_1": 0.875,
        "beta_2": 0.75,
        "bias_correction": bias_correction,
    }
    return Limit(
        arguments={
            **arguments,
            "clip_threshold": None,
            "initial_accumulator": 2.0**-40,
        },
        reference=functools.partial(
            PerVariable, AdamOracle, epsilon=2.0**-100, **arguments
        ),
        gradients=clipped.gradients_of_one_coordinate,
    )


ENROLMENT = Enrolment(
    name="clip_adam_norm",
    oracle=ClipAdamNormOracle,
    variants=VARIANTS,
    few=("threshold,corrected,decay", "adaptive,delay=2,scale"),
    config={
        "learning_rate": 0.1,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "clip_threshold": 1.0,
        "delay": 0,
        "initial_accumulator": None,
        "accumulator_scale": 1.0,
        "bias_correction": False,
    },
    golden={
        "learning_rate": Halving(0.5, 2),
        "beta_1": 0.75,
        "beta_2": 0.875,
        "clip_threshold": Adaptive(0.5, 0.75, 1.5),
        "delay": 2,
        "initial_accumulator": 0.5,
        "accumulator_scale": 2.0,
        "weight_decay": 0.125,
        "exclude_from_weight_decay": ["bias"],
        "global_clipnorm": 8.0,
    },
    heavy_tails={
        "clip_adam_norm": Case({"learning_rate": 0.01}),
        "clip_adam_norm, delay": Case({"learning_rate": 0.01, "delay": 1}),
    },
    limits={
        "Adam": _adam_limit(bias_correction=False),
        "Adam, corrected": _adam_limit(bias_correction=True),
    },
    errors=(
        *clipped.unit_interval_errors("beta_1", "beta_2"),
        *clipped.NORM_ERRORS,
    ),
    delays=(0, 1, 2, 3, 7),
    training_rate=0.25,
    takes_a_norm=True,
)
