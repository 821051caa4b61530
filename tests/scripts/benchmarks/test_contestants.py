"""The contestants of a mode, their rivals and their state."""

import re
from pathlib import Path

import keras
import pytest
import tensorflow as tf

from benchmarks import contestants
from benchmarks import measure
from benchmarks.contestants import CONTESTANTS
from benchmarks.contestants import OURS
from benchmarks.measure import ITEM
from benchmarks.modes import MODES
from benchmarks.report import TARGETS
from benchmarks.stepping import bytes_of_state
from command_line import InputError
from keras_clip.registry import OPTIMIZERS

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text("utf-8")


def names(entries):
    return [contestant.name for contestant in entries]


def test_every_optimizer_with_a_time_in_the_readme_is_measured():
    measured = {CONTESTANTS[name].factory for name in OURS}
    timed = set(
        re.findall(r"^\| `(\w+)` \|.* [\d.]+ \|$", README, re.MULTILINE)
    )
    known = {info.class_name for info in OPTIMIZERS.values()}
    assert timed and timed <= measured <= known


@pytest.mark.parametrize("mode", MODES)
def test_all_that_a_mode_compares_with_is_measured_in_it(mode):
    found = contestants.of_mode(mode)
    assert set(OURS) <= set(names(found))
    for contestant in found:
        assert contestant.rivals(mode) <= set(names(found))
        assert contestant.family in MODES[mode].families


@pytest.mark.parametrize(
    ("mode", "asked", "expected"),
    [
        (
            "graph",
            "acclip_threshold_decay",
            ["adam", "adamw", "acclip_threshold_decay"],
        ),
        ("jax-fit", "acclip", ["none", "adam", "optax_adam", "acclip"]),
        ("tf_keras", "acclip", ["tf_keras_adam", "acclip"]),
        # That of another framework is in no such mode.
        ("graph", "optax_adam", []),
    ],
)
def test_what_is_asked_for_brings_what_it_is_compared_with(
    mode, asked, expected
):
    assert names(contestants.of_mode(mode, [asked])) == expected


def test_an_optimizer_that_there_is_not_is_refused():
    with pytest.raises(InputError, match="^`--optimizers` .*=adamax$"):
        contestants.of_mode("graph", ["acclip", "adamax"])


@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_a_target_compares_what_is_timed_in_the_same_rounds(target):
    assert target.shapes in MODES[target.mode].shapes
    for name in target.contestants:
        rivals = CONTESTANTS[name].rivals(target.mode)
        assert target.against is None or target.against in rivals


def test_all_are_in_one_group_where_memory_allows_it():
    found = contestants.of_mode("graph")
    assert measure.grouped(found, "graph", 1000, free=1e9) == [found]


@pytest.mark.parametrize("mode", MODES)
def test_groups_fit_into_memory_and_have_their_baselines(mode):
    parameters = 1000
    # Slots of twelve tensors: a few contestants a group.
    free = 12 * ITEM * parameters / measure.SHARE_OF_SLOTS
    found = contestants.of_mode(mode)
    split = measure.grouped(found, mode, parameters, free)
    assert len(split) > 1
    for group in split:
        slots = measure.slot_bytes(set(names(group)), parameters)
        assert slots <= 12 * ITEM * parameters
    for contestant in found:
        wanted = {contestant.name, *contestant.rivals(mode)}
        assert any(wanted <= set(names(group)) for group in split)


def test_the_least_that_fits_is_the_hungriest_with_its_baselines():
    # x, g, Adam's two slots and three of ACClip.
    found = contestants.of_mode("graph", ["acclip"])
    assert measure.least(found, "graph", 1000) == 7 * ITEM * 1000
    # Another ACClip has two, and so has AdamW that it is compared with.
    found = contestants.of_mode("graph")
    assert measure.least(found, "graph", 1000) == 8 * ITEM * 1000


@pytest.mark.parametrize(
    ("slots", "norm", "numbers"),
    [
        # Adam reads x, g, m and v, and writes x, m and v.
        (2, False, 7),
        (0, False, 3),
        # A norm is one more pass over the gradients.
        (0, True, 4),
    ],
)
def test_a_step_moves_variables_slots_and_gradients(slots, norm, numbers):
    assert measure.bytes_moved(1000, slots, norm) == numbers * 4 * 1000


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        (mode, name)
        for mode in ("graph", "tf_keras")
        for name, contestant in CONTESTANTS.items()
        if contestant.family in MODES[mode].families
    ],
)
def test_a_contestant_keeps_as_many_slots_as_it_is_said_to(mode, name):
    values = [tf.zeros((40, 50)), tf.zeros((500,))]
    kind = tf.Variable if mode == "tf_keras" else keras.Variable
    optimizer = CONTESTANTS[name].make(mode)
    optimizer.build([kind(value) for value in values])
    variables = optimizer.variables
    if callable(variables):
        variables = variables()
    state = bytes_of_state(variables)
    slots = 4 * 2500 * CONTESTANTS[name].slots
    # What all variables share takes a few numbers.
    assert slots <= state < slots + 100
    # The learning rate and the number of steps are more than nothing.
    assert len(list(variables)) >= 2
