"""Sampling takes what `fit` takes, and gives the model the same."""

import itertools

import keras
import numpy as np
import pytest
import scipy.sparse
import tensorflow as tf

from keras_clip.noise.sampling.batches import batches_of
from keras_clip.noise.sampling.rows import SparseRows
from keras_clip.noise.sampling.rows import parts_of
from keras_clip.noise.sampling.rows import rows_of
from keras_clip.noise.sampling.rows import tensor_of
from tests.support import noise_problems
from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.noise_problems import data
from tests.support.noise_problems import gradient
from tests.support.noise_problems import linear_model
from tests.support.noise_problems import noise_norms
from tests.support.noise_problems import norm
from tests.support.noise_problems import sample
from tests.support.programs import noise_data
from tests.support.programs.launch import result_of
from tests.support.refusals import refused

pytestmark = pytest.mark.slow

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("front_end", "backend"),
    [
        (KERAS, "tensorflow"),
        (TF_KERAS, "tensorflow"),
        (KERAS, "jax"),
        (KERAS, "torch"),
    ],
)
def test_the_full_gradient_is_the_step_of_fit(front_end, backend):
    norms = result_of(noise_data.norms, front_end, backend=backend)
    assert len(norms) >= 20
    for name, (sampled, stepped) in norms.items():
        assert sampled == pytest.approx(stepped, rel=1e-4), name


@pytest.mark.parametrize("shape", [(7,), (7, 3), (7, 3, 4)])
def test_rows_of_a_sparse_tensor_are_those_of_the_dense_one(shape):
    dense = RNG.integers(0, 3, shape)
    rows = rows_of(tf.sparse.from_dense(dense))
    assert rows.shape == shape
    for places in ([0], [6, 2, 2, 5], range(7)):
        places = np.array(places)
        tensor = tf.sparse.to_dense(rows[places])
        np.testing.assert_array_equal(tensor, dense[places])


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "lil", "bsr", "dok"])
def test_matrices_of_scipy_are_read_and_left_as_they_are(kind):
    dense = (RNG.normal(size=(6, 4)) > 0.5) * RNG.normal(size=(6, 4))
    matrix = scipy.sparse.coo_array(dense).asformat(kind)
    before = matrix.copy()
    tensor = tf.sparse.to_dense(rows_of(matrix)[np.array([4, 0])])
    np.testing.assert_array_equal(tensor, dense[[4, 0]])
    assert type(matrix) is type(before) and (matrix != before).nnz == 0


def test_what_a_matrix_gives_twice_is_added_up():
    matrix = scipy.sparse.coo_array(([1.0, 2.0], ([0, 0], [1, 1])), (2, 2))
    np.testing.assert_array_equal(
        tf.sparse.to_dense(tensor_of(matrix)), [[0, 3], [0, 0]]
    )
    assert matrix.nnz == 2


def test_places_of_a_sparse_tensor_may_come_in_any_order():
    rows = SparseRows([[1, 0], [0, 1], [0, 0]], [3, 2, 1], (2, 2))
    np.testing.assert_array_equal(
        tf.sparse.to_dense(rows[np.array([1, 0])]), [[3, 0], [1, 2]]
    )


def test_rows_of_a_ragged_tensor_are_its_rows():
    ragged = tf.ragged.constant([[1], [2, 3], [], [4, 5, 6]])
    rows = rows_of(ragged)
    assert rows.shape[0] == 4
    assert rows[np.array([3, 0])].to_list() == [[4, 5, 6], [1]]


def test_batches_that_are_the_same_are_known_to_be():
    """A data set without new batches is gone through once."""
    lengths = np.arange(32) % 4
    ragged = tf.RaggedTensor.from_row_lengths(np.arange(sum(lengths)), lengths)
    for tensor in (np.eye(32), tf.sparse.from_dense(np.eye(32)), ragged):
        dataset = tf.data.Dataset.from_tensor_slices((tensor, np.ones(32)))
        assert len(list(batches_of(dataset.batch(8)).random())) == 4
        shuffled = batches_of(dataset.shuffle(32).batch(8)).random()
        assert len(list(itertools.islice(shuffled, 20))) == 20


def test_values_of_a_batch_come_first_in_its_parts():
    sparse = tf.sparse.from_dense(np.array([[0.0, np.nan]]))
    ragged = tf.ragged.constant([[1.0], [np.inf, 2.0]])
    assert np.isnan(parts_of(sparse)[0]).all()
    assert not np.isfinite(parts_of(ragged)[0]).all()


def test_a_sequence_of_tf_keras_that_shuffles_gives_several_passes():
    import tf_keras

    x, y = data(40)

    class Shuffling(tf_keras.utils.Sequence):
        passes = 0

        def __len__(self):
            return 5

        def __getitem__(self, index):
            places = (np.arange(8) * 5 + index + 7 * self.passes) % 40
            return x[places], y[places]

        def on_epoch_end(self):
            self.passes += 1

    batches = list(itertools.islice(batches_of(Shuffling()).random(), 12))
    assert len(batches) == 12
    assert not np.array_equal(batches[0][0], batches[5][0])


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (3, "int"),
        (None, "NoneType"),
        ("model", "str"),
        ({"a": [1.0, 2.0]}, "dict"),
        (object(), "object"),
    ],
)
def test_what_is_no_data_is_refused_by_its_type(value, name):
    start = "`x` must be arrays, or a data set"
    with refused(start, f"Received: x of type {name}"):
        sample(linear_model(KERAS), value)


class _Strange:
    shape = (40, 3)


@pytest.mark.parametrize("wrap", [lambda *xs: xs, lambda *xs: [[xs]]])
def test_a_leaf_that_is_no_array_is_refused_by_its_type(wrap):
    given = wrap(_Strange(), data(40)[1])
    with refused(
        "`x`, `y` and `sample_weight` must hold arrays or tensors, in batches "
        "too. Received: a leaf of type _Strange"
    ):
        sample(linear_model(KERAS), *given)


class _Dataset(keras.utils.PyDataset):
    def __init__(self, batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


def _tensorflow_dataset(batches):
    x, y = map(np.concatenate, zip(*batches, strict=True))
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(8)


def _torch_loader(batches):
    from torch.utils.data import DataLoader

    return DataLoader(batches, batch_size=None)


@pytest.mark.parametrize(
    "dataset", [_Dataset, _tensorflow_dataset, _torch_loader]
)
def test_every_kind_of_data_set_gives_the_same_samples(dataset):
    model, batches = linear_model(KERAS), noise_problems.batches_of(*data(40))
    expected = sample(model, batches, num_samples=5)
    samples = sample(model, dataset(batches), num_samples=5)
    np.testing.assert_array_equal(samples.noise_norms, expected.noise_norms)
    assert samples.exact


def test_a_data_set_without_end_gives_an_estimate_with_its_error():
    x, y = data(4000)
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).repeat()
    samples = sample(
        linear_model(KERAS),
        dataset.shuffle(4000, seed=0).batch(4),
        num_samples=300,
        full_gradient_batches=100,
    )
    assert len(samples) == 300
    assert samples.full_gradient_batches == 100 and not samples.exact
    error = np.sqrt(np.mean(np.square(samples.noise_norms)) / 100)
    np.testing.assert_allclose(samples.full_gradient_error, error)
    true_norm = norm(gradient(x, y))
    assert abs(samples.full_gradient_norm - true_norm) < 3 * error
    assert any("estimated from 100" in text for text in samples.caveats)


def test_an_iterator_gives_the_samples_after_those_of_the_full_gradient():
    x, y = data(80)
    batches = noise_problems.batches_of(x, y)
    options = {"num_samples": 6, "full_gradient_batches": 4}
    samples = sample(linear_model(KERAS), iter(batches), **options)
    expected = noise_norms(batches[4:], x[:32], y[:32])
    np.testing.assert_allclose(samples.noise_norms, expected, rtol=1e-5)


def test_the_full_gradient_of_arrays_can_be_estimated_too():
    options = {"num_samples": 50, "full_gradient_batches": 20}
    samples = sample(linear_model(KERAS), *data(400), batch_size=4, **options)
    assert samples.full_gradient_batches == 20 and not samples.exact
