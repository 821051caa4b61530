"""Compares the full gradient with a step of `fit`, for all that `fit` takes."""

import functools

import keras
import numpy as np
import pandas as pd
import scipy.sparse
import tensorflow as tf

from tests.support.front_ends import KERAS
from tests.support.noise_problems import batches_of
from tests.support.noise_problems import sample

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


def _dense(framework, x):
    return framework.layers.Dense(2, kernel_initializer="ones")(x)


def _linear(framework, size=3):
    x = framework.layers.Input((size,))
    return framework.Model(x, _dense(framework, x))


_of_one_column = functools.partial(_linear, size=1)


def _of_a_dict(framework):
    layers = framework.layers
    x = {name: layers.Input((3,), name=name) for name in "ab"}
    both = layers.Concatenate()([x["a"], x["b"]])
    return framework.Model(x, _dense(framework, both))


def _of_two(framework):
    x = [framework.layers.Input((3,)) for _ in range(2)]
    return framework.Model(x, [_dense(framework, value) for value in x])


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


def _tf_dataset(size, *arrays):
    return tf.data.Dataset.from_tensor_slices(arrays).batch(size)


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
        lambda size, framework: _sequence(framework, batches_of(X, Y, size)),
    ),
    "sequence of sparse tensors": (
        _linear,
        lambda size, framework: _sequence(
            framework,
            [(tf.sparse.from_dense(x), y) for x, y in batches_of(X, Y, size)],
        ),
    ),
    "generator": (
        _linear,
        lambda size, _: (batch for batch in 9 * batches_of(X, Y, size)),
    ),
}
# What `fit` does not take there.
NOT_ON_TORCH = (
    "data set of sparse tensors",
    "data set of ragged tensors",
    "sequence of sparse tensors",
)


def _of_torch():
    """Returns kinds that Keras alone takes, of arrays and of data sets."""
    import torch
    from torch.utils.data import DataLoader
    from torch.utils.data import TensorDataset

    tensors = torch.tensor(X), torch.tensor(Y)

    def loader(size, _):
        return DataLoader(TensorDataset(*tensors), batch_size=size)

    return {"torch": (_linear, tensors)}, {"loader": (_linear, loader)}


def norms(front_end):
    """Returns the norms by `sample` and by `fit`, by the name of the kind."""
    framework = front_end.framework
    if front_end is KERAS:
        arrays, datasets = _of_torch()
    else:
        arrays, datasets = {"lists": (_linear, (X.tolist(), Y.tolist()))}, {}
    found = {}
    for name, (make, given) in {**ARRAYS, **arrays}.items():
        eagerly = name != "numpy"
        found[name] = (
            _sampled(make(framework), *given, batch_size=8),
            _stepped(front_end, make(framework), eagerly, *given, size=SIZE),
        )
    for name, (make, given) in {**DATASETS, **datasets}.items():
        if keras.backend.backend() == "torch" and name in NOT_ON_TORCH:
            continue
        options = {"full_gradient_batches": 5} if name == "generator" else {}
        whole, eagerly = given(SIZE, framework), name != "data set"
        found[name] = (
            _sampled(make(framework), given(8, framework), **options),
            _stepped(front_end, make(framework), eagerly, whole),
        )
    return found


def _sampled(model, *data, **options):
    model.compile("sgd", "mse")
    samples = sample(model, *data, num_samples=5, **options)
    assert len(samples) == 5
    return samples.full_gradient_norm


def _stepped(front_end, model, eagerly, x, y=None, weight=None, size=None):
    """Returns the norm of what a step with a learning rate of 1 takes.

    One step is sooner taken eagerly than traced.
    """
    optimizer = front_end.framework.optimizers.SGD(1.0)
    model.compile(optimizer, "mse", run_eagerly=eagerly)
    if not model.built:
        on_tensorflow = keras.backend.backend() == "tensorflow"
        model(IDS if on_tensorflow else IDS.to_tensor().numpy())
    before = model.get_weights()
    model.fit(
        x,
        y,
        sample_weight=weight,
        batch_size=size,
        steps_per_epoch=1,
        verbose=0,
    )
    moves = zip(before, model.get_weights(), strict=True)
    return np.sqrt(sum(np.sum((a - b) ** 2) for a, b in moves))
