"""Updates that are done at once have one kind, and few elements."""

import math
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from keras_clip.step.updates import Update
from keras_clip.step.updates import groups_of
from tests.support.properties import property_of

sizes_and_kinds = st.lists(
    st.tuples(
        st.integers(0, 40),
        st.sampled_from(["float32", "bfloat16"]),
        st.sampled_from(["CPU:0", "CPU:1"]),
        st.sampled_from([0.0, 0.01]),
    ),
    max_size=20,
)


def grouped(given_sizes, smallest_alone=20, **arguments):
    updates = [
        Update(SimpleNamespace(dtype=dtype, device=device), (), None, (), None)
        for _, dtype, device, _ in given_sizes
    ]
    sizes = [size for size, *_ in given_sizes]
    decays = [decay for *_, decay in given_sizes]
    return groups_of(updates, sizes, decays, smallest_alone, **arguments)


@property_of
@given(sizes_and_kinds, st.sampled_from([math.inf, 30]))
def test_every_update_is_in_one_group(given_sizes, largest):
    groups = grouped(given_sizes, largest_group=largest)
    places = [place for group in groups for place in group]
    assert sorted(places) == [*range(len(given_sizes))]


@property_of
@given(sizes_and_kinds, st.sampled_from([math.inf, 30]))
def test_group_is_of_one_kind_and_within_its_size(given_sizes, largest):
    for group in grouped(given_sizes, largest_group=largest):
        if len(group) > 1:
            members = [given_sizes[place] for place in group]
            assert len({tuple(kind) for _, *kind in members}) == 1
            assert all(size < 20 for size, *_ in members)
            assert sum(size for size, *_ in members) <= largest


def test_as_few_groups_as_there_are_kinds_and_large_variables():
    kind = ("float32", "CPU:0", 0.0)
    given_sizes = [(5, *kind), (20, *kind), (5, *kind), (5, *kind), (25, *kind)]
    assert grouped(given_sizes) == [[0, 2, 3], [1], [4]]
    assert grouped(given_sizes, largest_group=10) == [[0, 2], [1], [3], [4]]
    assert grouped(given_sizes, smallest_alone=0) == [[i] for i in range(5)]
