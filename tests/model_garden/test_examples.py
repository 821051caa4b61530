"""The examples in the docstrings do what they show."""

import doctest
import importlib
import pkgutil

import pytest

import keras_clip.model_garden

MODULES = [
    module.name
    for module in pkgutil.walk_packages(
        keras_clip.model_garden.__path__, "keras_clip.model_garden."
    )
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_the_module_hold(name):
    results = doctest.testmod(importlib.import_module(name))
    assert results.failed == 0
