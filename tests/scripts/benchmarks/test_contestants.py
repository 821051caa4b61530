"""Who is measured, against whom, and together with whom."""

import re
from pathlib import Path

import pytest

from benchmarks import contestants
from benchmarks import groups
from benchmarks.contestants import CONTESTANTS
from benchmarks.contestants import OURS
from benchmarks.floor import ITEM
from benchmarks.modes import MODES
from benchmarks.targets import TARGETS
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


def test_what_is_asked_for_brings_what_it_is_compared_with():
    found = contestants.of_mode("graph", ["acclip_threshold_decay"])
    assert names(found) == ["adam", "adamw", "acclip_threshold_decay"]
    found = contestants.of_mode("jax-fit", ["acclip"])
    assert names(found) == ["none", "adam", "optax_adam", "acclip"]
    found = contestants.of_mode("tf_keras", ["acclip"])
    assert names(found) == ["tf_keras_adam", "acclip"]


def test_an_optimizer_of_another_framework_is_in_no_mode():
    assert contestants.of_mode("graph", ["optax_adam"]) == []


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
    assert groups.grouped(found, "graph", 1000, free=1e9) == [found]


@pytest.mark.parametrize("mode", MODES)
def test_groups_fit_into_memory_and_have_their_baselines(mode):
    parameters = 1000
    # Slots of twelve tensors: a few contestants a group.
    free = 12 * ITEM * parameters / groups.SHARE_OF_SLOTS
    found = contestants.of_mode(mode)
    split = groups.grouped(found, mode, parameters, free)
    assert len(split) > 1
    for group in split:
        slots = groups.slot_bytes(set(names(group)), parameters)
        assert slots <= 12 * ITEM * parameters
    for contestant in found:
        wanted = {contestant.name, *contestant.rivals(mode)}
        assert any(wanted <= set(names(group)) for group in split)


def test_the_least_that_fits_is_the_hungriest_with_its_baselines():
    # x, g, Adam's two slots and three of ACClip.
    found = contestants.of_mode("graph", ["acclip"])
    assert groups.least(found, "graph", 1000) == 7 * ITEM * 1000
    # Another ACClip has two, and so has AdamW that it is compared with.
    found = contestants.of_mode("graph")
    assert groups.least(found, "graph", 1000) == 8 * ITEM * 1000
