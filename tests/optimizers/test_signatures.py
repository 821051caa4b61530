"""Each signature is written once, and both front ends show it whole."""

import dataclasses
import importlib
import inspect
import pydoc

import jedi
import pytest

import keras_clip
import keras_clip.tf_keras
from keras_clip.registry import OPTIMIZERS
from keras_clip.rules.clip_adam import ClipAdamRule

NOT_IN_TF_KERAS = {"loss_scale_factor", "gradient_accumulation_steps"}

every_info = pytest.mark.parametrize(
    "info", OPTIMIZERS.values(), ids=OPTIMIZERS
)
both_classes = pytest.mark.parametrize("kind", ["keras", "tf_keras"])


def class_of(info, kind):
    return info.keras_class if kind == "keras" else info.tf_keras_class


@every_info
def test_signature_has_all_fields_of_the_rule_with_their_defaults(info):
    parameters = inspect.signature(info.keras_class).parameters
    rule = info.keras_class.rule_class
    for field in dataclasses.fields(rule):
        assert parameters[field.name].default == field.default
    assert ("clip_threshold" in parameters) == bool(rule.operators)
    assert ("clipping" in parameters) == (len(rule.operators) > 1)


@every_info
def test_signature_has_the_arguments_of_all_with_their_defaults(info):
    """The weight decay alone has a default of the optimizer's own."""
    parameters = inspect.signature(info.keras_class).parameters
    likes = inspect.signature(keras_clip.ClipAdam).parameters
    own = {field.name for field in dataclasses.fields(ClipAdamRule)}
    tail = set(likes) - own - {"clip_threshold", "clipping", "learning_rate"}
    for name in tail | {"nonfinite"}:
        assert parameters[name].annotation == likes[name].annotation
        if name not in ("weight_decay", "name"):
            assert parameters[name].default == likes[name].default
    assert parameters["name"].default == info.name


@every_info
def test_tf_keras_has_the_signature_of_keras_but_what_it_lacks(info):
    keras, tf_keras = (
        inspect.signature(cls).parameters
        for cls in (info.keras_class, info.tf_keras_class)
    )
    assert [*tf_keras] == [
        name for name in keras if name not in NOT_IN_TF_KERAS
    ]
    for name, parameter in tf_keras.items():
        assert parameter.default == keras[name].default
        assert parameter.kind == keras[name].kind
        if name != "learning_rate":
            assert parameter.annotation == keras[name].annotation
    assert "tf_keras" in str(tf_keras["learning_rate"].annotation)


@both_classes
@every_info
def test_docstring_describes_every_argument_of_the_signature(info, kind):
    cls = class_of(info, kind)
    described = inspect.getdoc(cls)
    for name in inspect.signature(cls).parameters:
        argument = "**kwargs" if name == "kwargs" else name
        assert f"\n    {argument}: " in described
    for name in NOT_IN_TF_KERAS:
        assert (f"\n    {name}: " in described) == (kind == "keras")
    assert "tf_keras" in described or kind == "keras"
    assert max(map(len, described.splitlines())) <= 80


@both_classes
@every_info
def test_help_shows_signature_and_equations(info, kind):
    text = pydoc.plain(pydoc.render_doc(class_of(info, kind)))
    assert f"class {info.class_name}(" in text
    assert f"{info.class_name}(learning_rate: " in text
    assert "x     = x" in text or "x = x" in text or "x  = x" in text


@pytest.mark.slow
@pytest.mark.parametrize("module", ["keras_clip", "keras_clip.tf_keras"])
@every_info
def test_editor_completes_the_arguments_without_running_anything(info, module):
    source = f"from {module} import {info.class_name}\n{info.class_name}("
    (signature,) = jedi.Script(source).get_signatures()
    parameters = inspect.signature(info.keras_class).parameters
    assert [each.name for each in signature.params] == [*parameters]


@pytest.mark.parametrize(
    "module",
    ["keras_clip.optimizers.tensorflow_base", "keras_clip.tf_keras.base"],
)
def test_editor_finds_the_steps_that_a_front_end_takes(module):
    source = inspect.getsource(importlib.import_module(module))
    before, call, _ = source.partition("self._tensorflow_steps.take")
    lines = (before + call).splitlines()
    script = jedi.Script(source)
    (found,) = script.goto(len(lines), len(lines[-1]), follow_imports=True)
    assert found.full_name == "keras_clip.on_tensorflow.steps.Steps.take"
