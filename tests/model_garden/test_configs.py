"""The optimizers as Model Garden's configs know them."""

import inspect

import pytest
import yaml
from official.core import exp_factory
from official.modeling import hyperparams
from official.modeling.optimization import optimizer_factory

import keras_clip.model_garden
from keras_clip.model_garden import OptimizationConfig
from keras_clip.registry import OPTIMIZERS

EXPERIMENTS = (
    "bert/pretraining",
    "bert/squad",
    "bert/sentence_prediction",
)


def build(optimizer, **rest):
    config = OptimizationConfig(
        {
            "optimizer": optimizer,
            "learning_rate": {
                "type": "constant",
                "constant": {"learning_rate": 0.5},
            },
            **rest,
        }
    )
    factory = optimizer_factory.OptimizerFactory(config)
    return factory.build_optimizer(factory.build_learning_rate())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_constructor_argument_can_be_set_in_yaml(name):
    info = OPTIMIZERS[name]
    config = OptimizationConfig({"optimizer": {"type": name}})
    fields = set(config.optimizer.get().as_dict())
    arguments = set(inspect.signature(info.tf_keras_class).parameters)
    assert fields == arguments - {"learning_rate", "kwargs"}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_default_config_builds_the_default_optimizer(name):
    built = build({"type": name})
    plain = OPTIMIZERS[name].tf_keras_class(learning_rate=0.5)
    assert type(built) is OPTIMIZERS[name].tf_keras_class
    assert built.get_config() == plain.get_config()


def test_yaml_reaches_the_optimizer():
    text = """
    type: acclip
    acclip:
      beta_1: 0.8
      beta_2: 0.95
      epsilon: 1.0e-4
      alpha: 1.5
      step_scaling: null
      bias_correction: true
      weight_decay: 0.01
      nonfinite: propagate
      jit_compile: false
      monitor: true
      exclude_from_weight_decay: [bias, LayerNorm]
      global_clipnorm: 2.0
      use_ema: true
      ema_momentum: 0.9
      ema_overwrite_frequency: 7
      name: mine
    """
    wanted = yaml.safe_load(text)
    config = build(wanted).get_config()
    for argument, value in wanted["acclip"].items():
        assert config[argument] == value, argument


def test_the_new_style_table_has_them_too():
    config = OptimizationConfig(
        {
            "optimizer": {"type": "acclip"},
            "learning_rate": {
                "type": "constant",
                "constant": {"learning_rate": 0.5},
            },
        }
    )
    factory = optimizer_factory.OptimizerFactory(config)
    optimizer = factory.build_optimizer(0.5, use_legacy_optimizer=False)
    assert type(optimizer) is OPTIMIZERS["acclip"].tf_keras_class


def test_an_unknown_optimizer_argument_is_an_error():
    with pytest.raises(KeyError, match="beta_3"):
        OptimizationConfig().override(
            {"optimizer": {"type": "acclip", "acclip": {"beta_3": 0.5}}}
        )


def test_a_value_out_of_range_is_an_error_when_the_optimizer_is_built():
    with pytest.raises(ValueError, match="`alpha`.*Received: alpha=3"):
        build({"type": "acclip", "acclip": {"alpha": 3}})


def test_model_gardens_moving_average_is_refused_with_the_way_out():
    with pytest.raises(ValueError, match=r"`ema`.*acclip\.use_ema"):
        build({"type": "acclip"}, ema={"average_decay": 0.9})


def test_model_gardens_moving_average_stays_for_its_own_optimizers():
    optimizer = build({"type": "sgd"}, ema={"average_decay": 0.9})
    assert type(optimizer).__name__ == "ExponentialMovingAverage"


@pytest.mark.parametrize("name", ["adamw", "sgd", "lamb", "lars"])
def test_stock_optimizers_are_built_from_our_config_too(name):
    stock = optimizer_factory.LEGACY_OPTIMIZERS_CLS[name]
    assert type(build({"type": name})) is stock


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_an_experiment_differs_from_the_stock_one_in_the_optimizer(name):
    ours = exp_factory.get_exp_config(f"keras_clip/{name}").as_dict()
    stock = exp_factory.get_exp_config(name).as_dict()
    config = ours["trainer"].pop("optimizer_config")
    stock["trainer"].pop("optimizer_config")
    if name == "bert/pretraining":
        assert ours["task"].pop("scale_loss") is True
        stock["task"].pop("scale_loss")
    assert ours == stock
    assert config["optimizer"]["type"] == "acclip"
    assert config["optimizer"]["acclip"]["exclude_from_weight_decay"] == [
        "LayerNorm",
        "layer_norm",
        "bias",
    ]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_stock_experiments_keep_their_optimizer(name):
    config = exp_factory.get_exp_config(name).trainer.optimizer_config
    assert config.optimizer.type == "adamw"
    assert not isinstance(config, OptimizationConfig)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_params_yaml_makes_the_same_experiment_again(name, tmp_path):
    params = exp_factory.get_exp_config(f"keras_clip/{name}")
    params.override(
        {
            "trainer": {
                "optimizer_config": {
                    "optimizer": {"acclip": {"alpha": 1.25, "monitor": True}}
                }
            }
        }
    )
    path = str(tmp_path / "params.yaml")
    hyperparams.save_params_dict_to_yaml(params, path)
    again = exp_factory.get_exp_config(f"keras_clip/{name}")
    assert again.as_dict() != params.as_dict()
    hyperparams.override_params_dict(again, path, is_strict=True)
    assert again.as_dict() == params.as_dict()


def test_the_public_names_are_there():
    for name in keras_clip.model_garden.__all__:
        assert getattr(keras_clip.model_garden, name) is not None
