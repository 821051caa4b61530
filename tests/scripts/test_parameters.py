"""A command line chooses an optimizer and its arguments."""

import contextlib
import dataclasses
import re

import pytest
import yaml
from official.modeling.optimization import optimizer_factory

import pretrain_bert
from bert import compatibility
from bert import saved_parameters
from bert.optimizer_names import MODEL_GARDEN_OPTIMIZERS
from bert.optimizer_names import OPTIMIZERS
from command_line import InputError
from keras_clip import registry
from keras_clip.model_garden import OptimizationConfig
from keras_clip.model_garden import OptimizerConfig
from tests.support import tiny

# Those with whose learning rates ACClip can do something.
LIKE_ACCLIP = {
    *(
        name
        for name, info in registry.OPTIMIZERS.items()
        if info.step == registry.OPTIMIZERS["acclip"].step
    ),
    "adam",
    "adam_experimental",
    "adamw",
    "adamw_experimental",
    "rmsprop",
}
# Those whose steps are of no kind that has a name.
UNKNOWN = {"adafactor_keras", "lamb", "lars"}


def build(*options):
    return tiny.built("pretraining", *options)


def written(folder, optimizer, learning_rate=None):
    """Returns the path of a config with an optimizer."""
    config = {"optimizer": optimizer}
    if learning_rate:
        rate = {"initial_learning_rate": learning_rate}
        config["learning_rate"] = {"polynomial": rate}
    path = folder / f"{optimizer['type']}_{learning_rate}.yaml"
    path.write_text(yaml.dump({"trainer": {"optimizer_config": config}}))
    return path


def learning_rate(params):
    schedule = params.trainer.optimizer_config.learning_rate.get()
    return schedule.initial_learning_rate


def test_help_lists_the_optimizers_that_can_be_built():
    there = set()
    names = {field.name for field in dataclasses.fields(OptimizerConfig)}
    for name in names - {"type"}:
        given = {"optimizer": {"type": name}}
        given["learning_rate"] = {"type": "constant"}
        factory = optimizer_factory.OptimizerFactory(OptimizationConfig(given))
        # Model Garden's slide and adafactor are not public.
        with contextlib.suppress(TypeError):
            factory.build_optimizer(0.5)
            there.add(name)
    assert list(OPTIMIZERS) == list(registry.OPTIMIZERS)
    assert {*OPTIMIZERS, *MODEL_GARDEN_OPTIMIZERS} == there
    text = pretrain_bert.parser().format_help()
    assert there <= set(re.findall(r"\w+", text))


@pytest.mark.parametrize("name", [*OPTIMIZERS, *MODEL_GARDEN_OPTIMIZERS])
def test_another_kind_of_step_needs_a_learning_rate_of_its_own(name, tmp_path):
    params = build("--optimizer", name, "--learning_rate", 0.5)
    assert params.trainer.optimizer_config.optimizer.type == name
    assert learning_rate(params) == 0.5
    path = written(tmp_path, {"type": name})
    for choice in (["--optimizer", name], ["--config", path]):
        if name in LIKE_ACCLIP | UNKNOWN:
            params = build(*choice)
            assert params.trainer.optimizer_config.optimizer.type == name
            assert learning_rate(params) == 1e-4
        else:
            with pytest.raises(
                InputError, match=f"must be given for {name}[,:] "
            ):
                build(*choice)


def test_the_error_says_what_the_steps_are():
    with pytest.raises(InputError) as caught:
        build("--optimizer", "sgd")
    assert str(caught.value) == (
        "`--learning_rate` must be given for sgd: it moves by the learning "
        "rate times the clipped gradient, and that of the configuration is for "
        "acclip, which moves each coordinate by about the learning rate. "
        "Received: sgd without a learning rate"
    )


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_error_says_which_learning_rate_to_start_with(
    name, tmp_path, monkeypatch
):
    # Whatever the registry says: it is not written down twice.
    known = registry.OPTIMIZERS[name]
    info = dataclasses.replace(known, starting_rate=0.0123)
    monkeypatch.setitem(registry.OPTIMIZERS, name, info)
    other = "acclip" if known.step == "gradient" else "gclip"
    path = written(tmp_path, {"type": other}, 2.0)
    with pytest.raises(InputError) as caught:
        build("--config", path, "--optimizer", name)
    assert str(caught.value).startswith(
        f"`--learning_rate` must be given for {name}, such as 0.0123 to start "
        f"a Transformer with: it {registry.STEPS[info.step]}, and that of "
    )


def test_a_learning_rate_may_come_from_yaml_too(tmp_path):
    both = written(tmp_path, {"type": "gclip"}, 2.0)
    assert learning_rate(build("--config", both)) == 2.0
    # From there on it is the learning rate of that optimizer.
    params = build("--config", both, "--optimizer", "cclip")
    assert learning_rate(params) == 2.0
    with pytest.raises(InputError, match="is for gclip"):
        build("--config", both, "--optimizer", "acclip")
    text = both.read_text()
    assert learning_rate(build("--params_override", text)) == 2.0
    chosen = "trainer: {optimizer_config: {optimizer: {type: gclip}}}"
    params = build("--learning_rate", 3, "--params_override", chosen)
    assert learning_rate(params) == 3


def test_a_threshold_schedule_goes_through_all_sources_and_back(tmp_path):
    one = {
        "class_name": "PolynomialThreshold",
        "config": {"scale": 2.0, "power": 0.25},
    }
    other = {"class_name": "AdaptiveThreshold", "config": {"beta": 0.5}}
    start = ["--optimizer", "clip_adam"]

    def override(value):
        given = {"optimizer": {"clip_adam": {"clip_threshold": value}}}
        given = {"trainer": {"optimizer_config": given}}
        return ["--params_override", yaml.dump(given)]

    def threshold(params):
        optimizer = params.trainer.optimizer_config.optimizer
        return optimizer.as_dict()["clip_adam"]["clip_threshold"]

    optimizer = {"type": "clip_adam", "clip_adam": {"clip_threshold": one}}
    path = written(tmp_path, optimizer)
    params = build("--config", path)
    assert threshold(params) == one
    for value in (other, 3.0, None):
        changed = build("--config", path, *override(value))
        assert threshold(changed) == value
        saved_parameters.write(changed, str(tmp_path))
        again = saved_parameters.read(
            "keras_clip/bert/pretraining", "--pretrained", str(tmp_path)
        )
        assert again.as_dict() == changed.as_dict()
    with pytest.raises(InputError, match="clip_threshold` must be a number"):
        build(*start, *override("high"))
    wrong = {"class_name": "PolynomialThreshold", "config": {"base": 2.0}}
    with pytest.raises(InputError, match="one that works; clip_adam: .*base"):
        compatibility.check_optimizer(build(*start, *override(wrong)))


@pytest.mark.parametrize(
    ("pairs", "same"),
    [
        (
            "task.train_data.input_path=train.tfrecord,trainer.train_steps=5",
            "{task: {train_data: {input_path: train.tfrecord}}, "
            "trainer: {train_steps: 5}}",
        ),
        (
            "trainer.optimizer_config.optimizer.acclip.epsilon=1e-3, "
            "trainer.optimizer_config.optimizer.acclip.alpha = 1.5",
            "trainer: {optimizer_config: {optimizer: {acclip: "
            "{epsilon: 1.0e-3, alpha: 1.5}}}}",
        ),
        (
            "runtime.distribution_strategy='one_device',task.scale_loss=false",
            "{runtime: {distribution_strategy: one_device}, "
            "task: {scale_loss: false}}",
        ),
        (
            "task.train_data.input_path=/data/a=b.tfrecord",
            "task: {train_data: {input_path: /data/a=b.tfrecord}}",
        ),
    ],
)
def test_pairs_as_in_model_garden_stand_for_the_same_as_yaml(pairs, same):
    params = build("--params_override", pairs).as_dict()
    assert params == build("--params_override", same).as_dict()
    assert params != build().as_dict()


@pytest.mark.parametrize("braces", ["{}", "{{{}}}"])
def test_an_equals_sign_in_yaml_makes_it_no_pairs(braces):
    text = braces.format("task: {init_checkpoint: a=b}")
    assert build("--params_override", text).task.init_checkpoint == "a=b"
