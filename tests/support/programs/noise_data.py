"""Compares the full gradient with a step of `fit`, for all that `fit` takes.

Usage: python -m tests.support.programs.noise_data

Prints a line for each kind of data: its name, and the norms of both.
"""

import keras
import numpy as np
import pandas as pd
import scipy.sparse
import tensorflow as tf
import torch

from keras_clip import noise

SIZE = 40
RNG = np.random.default_rng(0)
X = RNG.normal(size=(SIZE, 3)) * (RNG.uniform(size=(SIZE, 3)) > 0.4)
X = X.astype("float32")
X[5] = 0.0
Y = RNG.standard_t(3, size=(SIZE, 2)).astype("float32")
WEIGHT = RNG.uniform(size=SIZE).astype("float32")
FRAME = pd.DataFrame(X, columns=["a", "b", "c"])
IDS = tf.RaggedTensor.from_row_lengths(
    np.arange(2 * SIZE) % 7, [1, 3] * (SIZE // 2)
)


def _linear(framework, **inputs):
    layers = framework.layers
    x = layers.Input((3,), **inputs)
    return framework.Model(x, layers.Dense(2, kernel_initializer="ones")(x))


def _of_one_column(framework):
    layers = framework.layers
    x = layers.Input((1,))
    return framework.Model(x, layers.Dense(2, kernel_initializer="ones")(x))


def _of_a_dict(framework):
    layers = framework.layers
    x = {name: layers.Input((3,), name=name) for name in "ab"}
    both = layers.Concatenate()([x["a"], x["b"]])
    return framework.Model(x, layers.Dense(2, kernel_initializer="ones")(both))


def _of_two(framework):
    layers = framework.layers
    x = [layers.Input((3,)), layers.Input((3,))]
    y = [layers.Dense(2, kernel_initializer="ones")(value) for value in x]
    return framework.Model(x, y)


def _of_ids(framework):
    class Embedded(framework.Model):
        def __init__(self):
            super().__init__()
            self.embedding = framework.layers.Embedding(
                7, 2, embeddings_initializer="ones"
            )

        def call(self, ids):
            if isinstance(ids, tf.RaggedTensor):
                ids = ids.to_tensor()
            return keras.ops.mean(self.embedding(ids), axis=1)

    return Embedded()


def _sequence(framework, batches):
    utils = framework.utils
    base = utils.PyDataset if framework is keras else utils.Sequence

    class Dataset(base):
        def __len__(self):
            return len(batches)

        def __getitem__(self, index):
            return batches[index]

    return Dataset()


def _batches(size, *arrays):
    return [
        tuple(array[start : start + size] for array in arrays)
        for start in range(0, SIZE, size)
    ]


def _tf_dataset(size, *arrays):
    return tf.data.Dataset.from_tensor_slices(arrays).batch(size)


def _loader(size):
    pairs = torch.utils.data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    return torch.utils.data.DataLoader(pairs, batch_size=size)


# Kinds of arrays: a model and the arguments of `fit`.
ARRAYS = {
    "numpy": (_linear, (X, Y)),
    "weights": (_linear, (X, Y, WEIGHT)),
    "tensorflow": (_linear, (tf.constant(X), tf.constant(Y))),
    "data frame": (_linear, (FRAME, pd.DataFrame(Y))),
    "series of targets": (_linear, (FRAME, pd.Series(Y[:, 0]))),
    "series": (_of_one_column, (FRAME["a"], Y)),
    "series of weights": (_linear, (X, Y, pd.Series(WEIGHT))),
    "dict": (_of_a_dict, ({"a": FRAME, "b": X}, Y)),
    "list": (_of_two, ([X, X[::-1]], [Y, Y])),
    "csr": (_linear, (scipy.sparse.csr_matrix(X), Y)),
    "coo": (_linear, (scipy.sparse.coo_array(X), Y)),
    "sparse": (_linear, (tf.sparse.from_dense(X), Y)),
    "sparse in a dict": (
        _of_a_dict,
        ({"a": scipy.sparse.csr_matrix(X), "b": X}, Y),
    ),
    "ragged": (_of_ids, (IDS, Y)),
}
# Kinds of data sets: a model and a function of the size of a batch.
DATASETS = {
    "data set": (_linear, lambda size, _: _tf_dataset(size, X, Y, WEIGHT)),
    "data set of dicts": (
        _of_a_dict,
        lambda size, _: _tf_dataset(size, {"a": X, "b": X}, Y),
    ),
    "data set of sparse tensors": (
        _linear,
        lambda size, _: _tf_dataset(size, tf.sparse.from_dense(X), Y),
    ),
    "data set of ragged tensors": (
        _of_ids,
        lambda size, _: _tf_dataset(size, IDS, Y),
    ),
    "sequence": (
        _linear,
        lambda size, framework: _sequence(framework, _batches(size, X, Y)),
    ),
    "sequence of sparse tensors": (
        _linear,
        lambda size, framework: _sequence(
            framework,
            [(tf.sparse.from_dense(x), y) for x, y in _batches(size, X, Y)],
        ),
    ),
    "generator": (
        _linear,
        lambda size, _: (batch for batch in 9 * _batches(size, X, Y)),
    ),
}
OF_KERAS = {"loader": (_linear, lambda size, _: _loader(size))}
ARRAYS_OF_KERAS = {"torch": (_linear, (torch.tensor(X), torch.tensor(Y)))}
ARRAYS_OF_TF_KERAS = {"lists": (_linear, (X.tolist(), Y.tolist()))}
# What `fit` does not take there.
NOT_ON = {
    "tensorflow": (),
    "jax": (),
    "torch": (
        "data set of sparse tensors",
        "data set of ragged tensors",
        "sequence of sparse tensors",
    ),
}


def norms(framework):
    """Yields name of the kind, norm by `sample` and norm by `fit`."""
    is_keras = framework is keras
    arrays = {**ARRAYS, **(ARRAYS_OF_KERAS if is_keras else ARRAYS_OF_TF_KERAS)}
    datasets = {**DATASETS, **(OF_KERAS if is_keras else {})}
    for name, (make, given) in arrays.items():
        yield (
            name,
            _sampled(make(framework), *given, batch_size=8),
            _stepped(
                make(framework),
                *given,
                batch_size=SIZE,
                run_eagerly=name != "numpy",
            ),
        )
    for name, (make, given) in datasets.items():
        if name in NOT_ON[keras.backend.backend()]:
            continue
        options = {"full_gradient_batches": 5} if name == "generator" else {}
        yield (
            name,
            _sampled(make(framework), given(8, framework), **options),
            _stepped(
                make(framework),
                given(SIZE, framework),
                steps_per_epoch=1,
                run_eagerly=name != "data set",
            ),
        )


def _sampled(model, *data, **options):
    model.compile("sgd", "mse")
    samples = noise.sample(model, *data, num_samples=5, verbose=0, **options)
    assert len(samples) == 5
    return samples.full_gradient_norm


def _stepped(model, x, y=None, weight=None, run_eagerly=False, **options):
    """Returns the norm of what a step with a learning rate of 1 takes.

    One step is sooner taken eagerly than traced.
    """
    optimizers = keras.optimizers
    if not isinstance(model, keras.Model):
        import tf_keras

        optimizers = tf_keras.optimizers
    model.compile(optimizers.SGD(1.0), "mse", run_eagerly=run_eagerly)
    if not model.built:
        model(
            IDS
            if keras.backend.backend() == "tensorflow"
            else IDS.to_tensor().numpy()
        )
    before = model.get_weights()
    model.fit(x, y, sample_weight=weight, verbose=0, **options)
    moves = zip(before, model.get_weights(), strict=True)
    return np.sqrt(sum(np.sum((a - b) ** 2) for a, b in moves))


if __name__ == "__main__":
    for name, sampled, stepped in norms(keras):
        print(f"{name}\t{sampled}\t{stepped}")
