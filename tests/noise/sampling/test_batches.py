"""Batches of arrays hold each example once a pass."""

import itertools

import keras
import numpy as np

from keras_clip.noise.sampling.batches import ArrayBatches
from keras_clip.noise.sampling.batches import batches_of


def _arrays(size):
    x = {"a": np.arange(size), "b": [np.arange(size) * 2]}
    return x, np.arange(size) * 3


def test_a_pass_holds_every_example_once_in_a_random_order():
    batches = ArrayBatches(_arrays(11), 4, seed=0)
    seen = [y for _, y in batches.all()]
    values = list(np.concatenate(seen))
    assert sorted(values) == list(range(0, 33, 3)) != values
    assert [len(y) for y in seen] == [4, 4, 3] and batches.num_batches == 3


def test_random_batches_are_full_and_hold_no_example_twice_an_epoch():
    batches = ArrayBatches(_arrays(11), 4, seed=0)
    seen = [y for _, y in itertools.islice(batches.random(), 20)]
    assert {len(y) for y in seen} == {4}
    for first, second in zip(seen[::2], seen[1::2], strict=True):
        assert len({*first, *second}) == 8
    assert set(np.concatenate(seen)) == set(range(0, 33, 3))


def test_inputs_and_targets_stay_together():
    batches = ArrayBatches(_arrays(11), 4, seed=0)
    for x, y in itertools.islice(batches.random(), 5):
        np.testing.assert_array_equal(x["a"] * 3, y)
        np.testing.assert_array_equal(x["b"][0], x["a"] * 2)


def test_a_batch_larger_than_the_data_is_all_of_them():
    batches = ArrayBatches(_arrays(5), 8, seed=0)
    ((x, y),) = itertools.islice(batches.random(), 1)
    assert sorted(y) == list(range(0, 15, 3))


def test_several_inputs_are_arrays_and_a_list_of_tuples_is_a_data_set():
    array = np.zeros((4, 2))
    assert isinstance(batches_of([array, array], array), ArrayBatches)
    assert isinstance(batches_of((array, array), array), ArrayBatches)
    assert not isinstance(batches_of([(array, array)]), ArrayBatches)
    assert batches_of(array).batch_size == 32


def test_the_end_of_a_data_set_is_known_where_it_says_so():
    import tensorflow as tf

    dataset = tf.data.Dataset.range(8)
    assert batches_of(dataset).num_batches == 8
    assert batches_of(dataset.repeat()).endless
    unknown = batches_of(dataset.filter(lambda x: x > 3))
    assert unknown.num_batches is None and not unknown.endless
    assert batches_of(iter([])).endless

    class Endless(keras.utils.PyDataset):
        @property
        def num_batches(self):
            return None

        def __getitem__(self, index):
            return np.full((2, 1), index), np.zeros((2, 1))

    batches = batches_of(Endless())
    assert batches.endless
    values = [x[0, 0] for x, _ in itertools.islice(batches.all(), 3)]
    assert values == [0, 1, 2]


def test_a_data_set_that_does_not_shuffle_gives_each_batch_once():
    batches = batches_of([(np.full(2, i), np.zeros(2)) for i in range(3)])
    assert [x[0] for x, _ in batches.random()] == [0, 1, 2]
