"""Configs and serialized optimizers say all that an optimizer is."""

import inspect
import json

import numpy as np
import pytest

from tests.support.enrolment import every_optimizer
from tests.support.enrolment import every_variant
from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.gradients import heavy_tailed_gradients
from tests.support.models import SHAPES
from tests.support.models import dense_model
from tests.support.models import everything
from tests.support.models import train
from tests.support.shared_code import few_variants_once
from tests.support.trajectories import same_bits

GRADIENTS = heavy_tailed_gradients(SHAPES, steps=2)


@every_variant
@both_front_ends
def test_config_survives_json(front_end, enrolment, variant):
    optimizer = front_end.optimizer(
        enrolment.name, **enrolment.variants[variant]
    )
    config = optimizer.get_config()
    again = type(optimizer).from_config(json.loads(json.dumps(config)))
    assert again.get_config() == config


@every_optimizer
@both_front_ends
def test_config_holds_every_argument_and_the_documented_defaults(
    front_end, enrolment
):
    optimizer = front_end.optimizer(enrolment.name)
    config = optimizer.get_config()
    parameters = inspect.signature(type(optimizer)).parameters
    arguments = {name for name in parameters if name != "kwargs"}
    assert arguments <= set(config)
    defaults = {name: config[name] for name in enrolment.config}
    rate = enrolment.config["learning_rate"]
    assert defaults.pop("learning_rate") == float(np.float32(rate))
    assert defaults == {
        name: value
        for name, value in enrolment.config.items()
        if name != "learning_rate"
    }


@every_optimizer
@both_front_ends
def test_config_holds_what_was_asked_for(front_end, enrolment):
    asked = {
        "learning_rate": 0.25,
        "weight_decay": 0.5,
        "nonfinite": "propagate",
        "jit_compile": False,
        "monitor": True,
        "exclude_from_weight_decay": ["bias", "norm"],
        "clipvalue": 2.0,
        "use_ema": True,
        "ema_momentum": 0.75,
        "ema_overwrite_frequency": 7,
        "name": "mine",
    }
    if front_end is KERAS:
        asked["loss_scale_factor"] = 8.0
        asked["gradient_accumulation_steps"] = 3
    config = front_end.optimizer(enrolment.name, **asked).get_config()
    assert {name: config[name] for name in asked} == asked


@pytest.mark.slow
@pytest.mark.usefixtures("functions_run_eagerly")
@few_variants_once
def test_serialized_optimizer_steps_like_the_original(
    front_end, enrolment, variant
):
    optimizers = front_end.framework.optimizers
    original = front_end.optimizer(
        enrolment.name, **enrolment.variants[variant]
    )
    serialized = json.loads(json.dumps(optimizers.serialize(original)))
    ends = []
    for optimizer in (original, optimizers.deserialize(serialized)):
        assert type(optimizer) is type(original)
        model = dense_model(front_end, optimizer)
        train(front_end, model, GRADIENTS)
        ends.append(everything(front_end, model))
    assert same_bits(*ends)


@every_optimizer
@both_front_ends
def test_class_is_registered_under_the_name_of_the_package(
    front_end, enrolment
):
    cls = front_end.optimizer_class(enrolment.name)
    framework = front_end.framework
    name = f"keras_clip>{cls.__name__}"
    assert framework.saving.get_registered_name(cls) == name
    assert framework.saving.get_registered_object(name) is cls
    assert type(framework.optimizers.get(name)) is cls
