"""Selects rows of arrays that `fit` accepts: dense, sparse or ragged."""

import keras
import numpy as np
from keras import ops


class SparseRows:
    """Selects rows of a sparse tensor of any rank.

    They are returned as tensors that `fit` on the backend passes to a model: a
    `tf.SparseTensor`, a `BCOO` of JAX, or a dense array for torch, which
    supports no sparse ones.

    Args:
        indices: Integer array of shape `(n, rank)`, the indices of the values.
        values: Array of shape `(n,)`.
        shape: Tuple of ints.
    """

    def __init__(self, indices, values, shape):
        order = np.lexsort(np.transpose(indices)[::-1])
        self._indices = np.asarray(indices, "int64")[order]
        self._values = np.asarray(values)[order]
        self.shape = tuple(int(size) for size in shape)
        self._starts = np.searchsorted(
            self._indices[:, 0], np.arange(self.shape[0] + 1)
        )

    def __getitem__(self, rows):
        """Returns the tensor of the rows at an array of places."""
        row_sizes = self._starts[rows + 1] - self._starts[rows]
        places = np.concatenate(
            [np.arange(*self._starts[row : row + 2]) for row in rows]
        )
        indices = self._indices[places]
        indices[:, 0] = np.repeat(np.arange(len(rows)), row_sizes)
        shape = (len(rows), *self.shape[1:])
        return _sparse_tensor(indices, self._values[places], shape)


class RaggedRows:
    """Selects rows of a `tf.RaggedTensor`, padded except on TensorFlow.

    Args:
        tensor: The tensor.
    """

    def __init__(self, tensor):
        self._tensor = tensor
        self.shape = (int(tensor.nrows()), *tensor.shape[1:])

    def __getitem__(self, rows):
        """Returns the tensor of the rows at an array of places."""
        import tensorflow as tf

        tensor = tf.gather(self._tensor, rows)
        if keras.backend.backend() == "tensorflow":
            return tensor
        return tensor.to_tensor().numpy()


def rows_of(value) -> np.ndarray | SparseRows | RaggedRows:
    """Returns an object that selects rows when it is indexed by an array.

    Args:
        value: Array, tensor or data frame of any library that `fit` accepts,
            including sparse matrices and sparse or ragged tensors.

    Returns:
        An object with a `shape`.

    Raises:
        ValueError: If it is none of these.
    """
    if hasattr(value, "nested_row_splits"):
        return RaggedRows(value)
    if hasattr(value, "dense_shape"):
        return SparseRows(value.indices, value.values, value.dense_shape)
    if hasattr(value, "tocsr"):
        # This conversion sums duplicate entries.
        matrix = value.tocsr().tocoo()
        indices = np.stack([matrix.row, matrix.col], axis=1)
        return SparseRows(indices, matrix.data, matrix.shape)
    if type(value).__module__.startswith("jax.experimental.sparse"):
        return _of_jax(value)
    if hasattr(value, "to_frame"):
        # A Series of pandas, which `fit` treats as a column.
        value = value.to_frame()
    if hasattr(value, "detach"):
        return ops.convert_to_numpy(value)
    array = np.asarray(value)
    if array.dtype == object and not array.ndim:
        raise ValueError(
            "`x`, `y` and `sample_weight` must hold arrays or tensors, in "
            f"batches too. Received: a leaf of type {type(value).__name__}"
        )
    return array


def tensor_of(value):
    """Returns all rows of an array in the form that a model receives.

    Args:
        value: As for `rows_of`, or `None`.

    Returns:
        NumPy array, or a tensor if it is sparse or ragged; `None` for `None`.
    """
    if value is None:
        return None
    rows = rows_of(value)
    if isinstance(rows, np.ndarray):
        return rows
    return rows[np.arange(rows.shape[0])]


def parts_of(tensor) -> list[np.ndarray]:
    """Returns the arrays that a result of `tensor_of` consists of.

    Args:
        tensor: NumPy array, sparse or ragged tensor.

    Returns:
        List of arrays.
    """
    if isinstance(tensor, np.ndarray):
        parts = [tensor]
    elif hasattr(tensor, "nested_row_splits"):
        parts = [tensor.flat_values, *tensor.nested_row_splits]
    elif hasattr(tensor, "dense_shape"):
        parts = [tensor.values, tensor.indices, tensor.dense_shape]
    else:
        parts = [tensor.data, tensor.indices, tensor.shape]
    return [np.asarray(part) for part in parts]


def _of_jax(value):
    if not hasattr(value, "n_dense") or value.n_batch or value.n_dense:
        return np.asarray(value.todense())
    indices, values = np.asarray(value.indices), np.asarray(value.data)
    # Padding has indices outside of the shape.
    inside = np.all(indices < value.shape, axis=1)
    return SparseRows(indices[inside], values[inside], value.shape)


def _sparse_tensor(indices, values, shape):
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.SparseTensor(indices, values, shape)
    if backend == "jax":
        from jax.experimental import sparse

        return sparse.BCOO((values, indices), shape=shape)
    dense = np.zeros(shape, values.dtype)
    np.add.at(dense, tuple(indices.T), values)
    return dense
