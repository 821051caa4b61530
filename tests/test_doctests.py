"""The examples in the docstrings do what they show."""

import doctest
import importlib
import pkgutil

import keras
import pytest

import keras_clip
import keras_clip.tf_keras
from keras_clip.registry import OPTIMIZERS

# Model Garden is a dependency of its own.
MODULES = [
    module.name
    for module in pkgutil.walk_packages(keras_clip.__path__, "keras_clip.")
    if not module.name.startswith("keras_clip.model_garden")
]


@pytest.mark.parametrize("name", ["keras_clip", *MODULES])
def test_examples_of_the_module_hold(name):
    results = doctest.testmod(
        importlib.import_module(name),
        extraglobs={"keras": keras, "keras_clip": keras_clip},
    )
    assert results.failed == 0


@pytest.mark.parametrize("info", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_every_optimizer_shows_an_example(info):
    for cls in (info.keras_class, info.tf_keras_class):
        tests = doctest.DocTestFinder(recurse=False).find(cls)
        assert any(test.examples for test in tests)


@pytest.mark.parametrize("info", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_every_optimizer_names_its_learning_rate_to_start_with(info):
    named = f"Start a Transformer with `{info.starting_rate:g}`."
    for cls in (info.keras_class, info.tf_keras_class):
        assert named in cls.__doc__
        assert "{{" not in cls.__doc__


def test_a_class_of_a_users_own_has_the_rate_of_what_it_is_made_of():
    class GClip(keras_clip.ACClip):
        """Starts with {{starting rate}}."""

    class Own(GClip):
        """{{arguments of all}}"""

    rate = OPTIMIZERS["acclip"].starting_rate
    assert GClip.__doc__ == f"Starts with {rate:g}."
    assert "jit_compile: " in Own.__doc__
