"""The optimizers as Model Garden's configs know them."""

import inspect

import pytest
import yaml
from official.core import exp_factory
from official.core import task_factory
from official.core import train_utils
from official.modeling import hyperparams
from official.modeling.optimization import optimizer_factory

import keras_clip.model_garden
from keras_clip import thresholds
from keras_clip.model_garden import OptimizationConfig
from keras_clip.model_garden import OptimizerConfig
from keras_clip.registry import OPTIMIZERS
from tests.support.enrolment import ENROLMENTS

EXPERIMENTS = ["bert/pretraining", "bert/squad", "bert/sentence_prediction"]
POLYNOMIAL = {
    "class_name": "PolynomialThreshold",
    "config": {"scale": 2.0, "power": 0.25},
}
THRESHOLDS = [
    2.5,
    None,
    POLYNOMIAL,
    {
        "class_name": "AdaptiveThreshold",
        "config": {"multiplier": 2.0, "of": "clipped"},
    },
    {"class_name": "AdaptiveThreshold", "config": {"multiplier": 2.0}},
]
CLIPPING = [
    name
    for name, info in OPTIMIZERS.items()
    if "clip_threshold" in inspect.signature(info.tf_keras_class).parameters
]
# Values that are nobody's defaults, of the arguments of all, in sets that go
# together.
VALUES = [
    {
        "clip_per_replica": True,
        "clip_threshold": POLYNOMIAL,
        "clipnorm": 2.0,
        "ema_momentum": 0.9,
        "ema_overwrite_frequency": 7,
        "exclude_from_weight_decay": ["bias", "gamma"],
        "jit_compile": False,
        "monitor": True,
        "name": "mine",
        "nonfinite": "propagate",
        "use_ema": True,
        "weight_decay": 0.01,
    },
    {"clipvalue": 2.0},
    {"global_clipnorm": 2.0},
]


def values_of(enrolment):
    """Yields sets of values of an optimizer's own arguments, not defaults."""
    own = enrolment.config.keys() - VALUES[0].keys() - {"learning_rate"}
    for arguments in (enrolment.golden, *enrolment.variants.values()):
        yield {
            name: value
            for name, value in arguments.items()
            if name in own and value != enrolment.config[name]
        }


def chosen(name, arguments=None):
    """Returns overrides that choose an optimizer and arguments of it."""
    optimizer = {"type": name, name: arguments or {}}
    return {"trainer": {"optimizer_config": {"optimizer": optimizer}}}


def settings(given, path=()):
    """Returns overrides as the official `--params_override` takes them."""
    if not isinstance(given, dict):
        return [f"{'.'.join(path)}={'null' if given is None else given}"]
    return [
        setting
        for key, inner in given.items()
        for setting in settings(inner, (*path, key))
    ]


def create_optimizer(params):
    """Returns the optimizer as the trainer makes it."""
    schedule = params.trainer.optimizer_config.learning_rate
    schedule.polynomial.decay_steps = 10
    params.trainer.optimizer_config.warmup.polynomial.warmup_steps = 1
    task = task_factory.get_task(params.task)
    return train_utils.create_optimizer(task, params)


def factory_of(optimizer, **rest):
    rate = {"type": "constant", "constant": {"learning_rate": 0.5}}
    config = {"optimizer": optimizer, "learning_rate": rate, **rest}
    return optimizer_factory.OptimizerFactory(OptimizationConfig(config))


def build(*config, **rest):
    factory = factory_of(*config, **rest)
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


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_yaml_and_params_override_reach_the_optimizer(name, tmp_path):
    default = OPTIMIZERS[name].tf_keras_class().get_config()
    left = set(OptimizerConfig({"type": name}).get().as_dict())
    tried = set()
    for values in (*VALUES, *values_of(ENROLMENTS[name])):
        values = {key: values[key] for key in values.keys() & default.keys()}
        new = {(key, str(value)) for key, value in values.items()} - tried
        if not new:
            continue
        tried |= new
        path = tmp_path / "values.yaml"
        path.write_text(yaml.dump(chosen(name, values)))
        option = ",".join(settings(chosen(name, values)))
        for source in (str(path), option):
            params = exp_factory.get_exp_config("keras_clip/bert/squad")
            hyperparams.override_params_dict(params, source, is_strict=True)
            config = create_optimizer(params).get_config()
            for argument, value in values.items():
                assert config[argument] == value != default[argument]
        left -= values.keys()
    assert not left


@pytest.mark.parametrize("name", CLIPPING)
@pytest.mark.parametrize("threshold", THRESHOLDS, ids=str)
def test_a_threshold_of_any_kind_comes_back_from_params_yaml(
    name, threshold, tmp_path
):
    start = exp_factory.get_exp_config("keras_clip/bert/squad")
    path = str(tmp_path / "params.yaml")
    # Whatever was there before, of the same kind or of another.
    for before in THRESHOLDS:
        params = start.replace()
        for value in (before, threshold):
            given = chosen(name, {"clip_threshold": value})
            hyperparams.override_params_dict(params, given, is_strict=True)
        config = params.trainer.optimizer_config.optimizer.get()
        assert config.as_dict()["clip_threshold"] == threshold
        hyperparams.save_params_dict_to_yaml(params, path)
        again = start.replace()
        hyperparams.override_params_dict(again, path, is_strict=True)
        assert again.as_dict() == params.as_dict()
        optimizer = create_optimizer(again)
        wanted = thresholds.serialize(thresholds.get(threshold))
        assert optimizer.get_config()["clip_threshold"] == wanted


def test_an_argument_of_a_threshold_can_be_overridden_alone():
    params = exp_factory.get_exp_config("keras_clip/bert/squad")
    params.override(chosen("gclip", {"clip_threshold": THRESHOLDS[-1]}))
    # One that was given, one that was not.
    for argument in ("multiplier", "beta"):
        given = {"clip_threshold": {"config": {argument: 0.25}}}
        (option,) = settings(chosen("gclip", given))[1:]
        hyperparams.override_params_dict(params, option, is_strict=True)
    threshold = create_optimizer(params).clip_threshold
    assert threshold.get_config() == {
        "multiplier": 0.25,
        "beta": 0.25,
        "alpha": 1.0,
        "of": "raw",
        "warmup_steps": 25,
    }


def test_an_optimizer_without_a_threshold_takes_none():
    with pytest.raises(KeyError, match="clip_threshold"):
        OptimizationConfig().override(
            {"optimizer": {"acclip": {"clip_threshold": THRESHOLDS[-1]}}}
        )


def test_the_new_style_table_has_them_too():
    factory = factory_of({"type": "acclip"})
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


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_experiment_takes_every_optimizer(experiment, name):
    params = exp_factory.get_exp_config(f"keras_clip/{experiment}")
    params.override(chosen(name))
    optimizer = create_optimizer(params)
    assert type(optimizer) is OPTIMIZERS[name].tf_keras_class
    excluded = ["LayerNorm", "layer_norm", "bias"]
    assert optimizer.get_config()["exclude_from_weight_decay"] == excluded


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_stock_experiments_keep_their_optimizer(name):
    config = exp_factory.get_exp_config(name).trainer.optimizer_config
    assert config.optimizer.type == "adamw"
    assert not isinstance(config, OptimizationConfig)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_params_yaml_makes_the_same_experiment_again(name, tmp_path):
    params = exp_factory.get_exp_config(f"keras_clip/{name}")
    params.override(chosen("acclip", {"alpha": 1.25, "monitor": True}))
    path = str(tmp_path / "params.yaml")
    hyperparams.save_params_dict_to_yaml(params, path)
    again = exp_factory.get_exp_config(f"keras_clip/{name}")
    assert again.as_dict() != params.as_dict()
    hyperparams.override_params_dict(again, path, is_strict=True)
    assert again.as_dict() == params.as_dict()


def test_the_public_names_are_there():
    for name in keras_clip.model_garden.__all__:
        assert getattr(keras_clip.model_garden, name) is not None
