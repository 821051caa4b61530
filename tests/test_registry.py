"""The registry, its `get`, and the enrolment of all that it holds."""

import dataclasses

import keras
import pytest

import keras_clip
import keras_clip.tf_keras
from keras_clip import optimizers
from keras_clip.registry import OPTIMIZERS
from tests.support import enrolment as enrolments
from tests.support.enrolment import ENROLMENTS
from tests.support.enrolment import every_optimizer
from tests.support.enrolment.record import SCOPES

every_info = pytest.mark.parametrize(
    "info", OPTIMIZERS.values(), ids=OPTIMIZERS
)


@every_optimizer
def test_an_enrolment_is_named_as_its_module_and_its_optimizer(enrolment):
    assert ENROLMENTS[enrolment.name] is enrolment
    assert enrolment.config["name"] == enrolment.name


def test_an_optimizer_without_an_enrolment_is_told_which_file_to_add():
    file = "add tests/support/enrolment/no_such.py with an `ENROLMENT`"
    with pytest.raises(ImportError, match=file):
        enrolments.of("no_such")


@every_optimizer
def test_golden_files_hold_no_argument_at_its_default(enrolment):
    assert enrolment.golden
    for name, value in enrolment.golden.items():
        assert repr(value) != repr(enrolment.config.get(name))


def test_every_enrolment_names_its_few_variants_among_all():
    for enrolment in ENROLMENTS.values():
        assert enrolment.few
        assert set(enrolment.few) <= set(enrolment.variants)
        for arguments in enrolment.variants.values():
            assert enrolment.nonfinite_scope(arguments) in SCOPES


@every_info
def test_classes_are_public_in_both_front_ends(info):
    assert getattr(keras_clip, info.class_name) is info.keras_class
    assert getattr(keras_clip.tf_keras, info.class_name) is info.tf_keras_class
    assert info.class_name in keras_clip.__all__
    assert info.class_name in keras_clip.tf_keras.__all__


def test_public_classes_are_all_registered():
    names = {info.class_name for info in OPTIMIZERS.values()}
    assert set(optimizers.__all__) == names
    assert set(keras_clip.tf_keras.__all__) == {*names, "callbacks"}


@every_info
def test_entry_is_keyed_by_its_name_and_describes_itself(info):
    assert OPTIMIZERS[info.name] is info
    assert info.name == info.name.lower()
    assert info.summary and info.reference


@pytest.mark.parametrize(
    ("field", "value"), [("step", "any"), ("starting_rate", 0.0)]
)
def test_a_row_says_which_of_its_fields_is_wrong(field, value):
    wanted = rf"`{field}` must be .* Received: {field}={value!r}"
    with pytest.raises(ValueError, match=wanted):
        dataclasses.replace(OPTIMIZERS["acclip"], **{field: value})


@every_info
def test_default_name_of_an_optimizer_is_that_of_the_registry(info):
    assert info.keras_class().name == info.name
    assert info.tf_keras_class().name == info.name


@every_info
def test_get_finds_an_optimizer_by_name_in_any_case(info):
    for name in (info.name, info.class_name, info.name.upper()):
        assert type(keras_clip.get(name)) is info.keras_class


def test_get_makes_a_new_optimizer_each_time():
    assert keras_clip.get("acclip") is not keras_clip.get("acclip")


@every_info
def test_get_takes_configs_and_instances(info):
    optimizer = info.keras_class(learning_rate=0.25)
    assert keras_clip.get(optimizer) is optimizer
    again = keras_clip.get(keras.optimizers.serialize(optimizer))
    assert type(again) is info.keras_class
    assert float(again.learning_rate) == 0.25


@every_info
def test_get_takes_dicts_of_a_name_and_arguments(info):
    """As `keras.optimizers.get` does of the optimizers of Keras."""
    for name in (info.name, info.class_name):
        dictionary = {"class_name": name, "config": {"learning_rate": 0.25}}
        optimizer = keras_clip.get(dictionary)
        assert type(optimizer) is info.keras_class
        assert float(optimizer.learning_rate) == 0.25
        optimizer = keras_clip.get({"class_name": name})
        assert optimizer.get_config() == info.keras_class().get_config()


@pytest.mark.parametrize(
    "identifier",
    [{}, {"learning_rate": 0.5}, {"class_name": "Nope"}],
    ids=str,
)
def test_get_names_the_optimizers_to_a_dict_that_is_none(identifier):
    with pytest.raises(ValueError) as error:
        keras_clip.get(identifier)
    assert all(name in str(error.value) for name in OPTIMIZERS)
    assert str(error.value).endswith(f"Received: identifier={identifier!r}")


def test_get_takes_dicts_with_schedules():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.5, 10, 0.5)
    config = keras_clip.GClip(learning_rate=schedule).get_config()
    optimizer = keras_clip.get({"class_name": "GClip", "config": config})
    assert optimizer.get_config() == config


def test_get_falls_back_to_the_optimizers_of_keras():
    assert isinstance(keras_clip.get("adam"), keras.optimizers.Adam)
    config = keras.optimizers.serialize(keras.optimizers.SGD(0.5))
    assert isinstance(keras_clip.get(config), keras.optimizers.SGD)
