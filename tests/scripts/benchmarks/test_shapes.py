"""The shapes that are measured are those of the models that they are named by.

Numbers of parameters are those of the published BERTs with Model Garden's
encoder, which has a pooler and no head.
"""

import re
from collections import Counter

import pytest

from benchmarks import modes
from benchmarks import stepping
from command_line import InputError


@pytest.mark.parametrize(
    ("name", "variables", "parameters"),
    [
        ("bert-tiny", 39, 4_385_920),
        ("bert-base", 199, 109_482_240),
        ("bert-large", 391, 335_141_888),
        ("many-small", 1_000, 1_000_000),
        ("one-large", 1, 100_000_000),
        ("parameters:1e6", 1, 1_000_000),
        ("parameters:2500000", 3, 2_500_000),
        ("parameters:1e9", 1_000, 1_000_000_000),
        ("variables:30", 30, 300_000),
    ],
)
def test_shapes_have_the_variables_and_parameters_of_their_name(
    name, variables, parameters
):
    found = modes.shapes_of(name)
    assert len(found) == variables
    assert modes.parameters_of(found) == parameters


@pytest.mark.parametrize("name", ["tiny-test", "bert-tiny"])
def test_the_model_that_is_trained_has_these_shapes_and_a_classifier(name):
    hidden = modes.BERTS[name].hidden
    model = stepping.bert(name)
    found = Counter(tuple(v.shape) for v in model.trainable_variables)
    head = [(hidden, stepping.CLASSES), (stepping.CLASSES,)]
    assert found == Counter(modes.shapes_of(name) + head)


def test_a_batch_fits_the_model():
    inputs, labels = stepping.bert_batch("tiny-test", seed=0)
    logits = stepping.bert("tiny-test")(inputs)
    assert tuple(logits.shape) == (*labels.shape, stepping.CLASSES)


@pytest.mark.parametrize(
    "name",
    ["bert", "parameters", "parameters:0", "parameters:2.5", "variables:x"],
)
def test_a_name_of_nothing_is_refused(name):
    received = re.escape(f"Received: --shapes={name}")
    with pytest.raises(InputError, match=f"^`--shapes` must .*{received}$"):
        modes.shapes_of(name)
