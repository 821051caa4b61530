"""Checks that a step has one gradient of the right shape for each variable."""

from collections.abc import Callable
from collections.abc import Sequence

import numpy as np
from keras import ops

from keras_clip import clipping
from keras_clip.sparse_gradients import densify


def once_each(
    name: str, gradients: Sequence, variables: Sequence
) -> tuple[list, list]:
    """Returns gradients and variables, with every variable once.

    The gradients of a variable that occurs twice are summed, as when two heads
    share a body.

    Args:
        name: Name of the argument that the gradients come from, for errors.
        gradients: Sequence of gradients, dense or sparse, `None` for none.
        variables: Sequence of variables, one for each gradient.

    Returns:
        Two lists of the same length. A sparse gradient stays sparse unless it
        is summed.

    Raises:
        ValueError: If there are more or fewer gradients than variables, or if
            `checked` rejects a gradient that is summed.
    """
    gradients, variables = list(gradients), list(variables)
    _check_lengths(name, gradients, variables)
    if len({id(variable) for variable in variables}) == len(variables):
        return gradients, variables
    places, sums, each = {}, [], []
    for gradient, variable in zip(
        checked(name, gradients, variables), variables, strict=True
    ):
        place = places.setdefault(_key(variable), len(each))
        if place == len(each):
            sums.append(gradient)
            each.append(variable)
        else:
            sums[place] = _sum(sums[place], gradient, variable)
    return sums, each


def checked(name: str, gradients: Sequence, variables: Sequence) -> list:
    """Returns gradients after checking them against their variables.

    Args:
        name: Name of the argument that the gradients come from, for errors.
        gradients: Sequence of gradients, dense or sparse, `None` for none.
        variables: Sequence of variables, one for each gradient.

    Raises:
        ValueError: If there are more or fewer gradients than variables, or if
            one is complex or does not have the shape of its variable.
    """
    _check_lengths(name, gradients, variables)
    return [
        gradient if gradient is None else _checked(name, gradient, variable)
        for gradient, variable in zip(gradients, variables, strict=True)
    ]


def without_repeats(variables: Sequence, key: Callable) -> list:
    """Returns the variables in their order, without repeats.

    Args:
        variables: Sequence of variables.
        key: Callable that returns the unique key of a variable.

    Raises:
        ValueError: If one does not have a real floating-point dtype.
    """
    each = list({key(variable): variable for variable in variables}.values())
    for variable in each:
        dtype = _dtype_name(variable)
        if not dtype.startswith(("float", "bfloat")):
            raise ValueError(
                "`variables` must be of floating-point dtypes. Received: "
                f"variable {variable_path(variable)!r} of dtype {dtype}"
            )
    return each


def variable_path(variable) -> str:
    """Returns the path of a variable, on tf_keras its name without `:0`."""
    return getattr(variable, "path", variable.name.split(":")[0])


def _check_lengths(name, gradients, variables):
    if len(gradients) != len(variables):
        raise ValueError(
            f"`{name}` must hold one gradient for each variable. Received: "
            f"{len(gradients)} gradients and {len(variables)} variables"
        )


def _key(variable):
    # Gradients that overwrite a variable are not summed; Keras uses the first
    # (keras/src/optimizers/base_optimizer.py, 3.15.1).
    overwritten = getattr(variable, "overwrite_with_gradient", False)
    return object() if overwritten else id(variable)


def _sum(one, other, variable):
    if one is None or other is None:
        return other if one is None else one
    dtype = clipping.working_dtype_of(variable)
    one, other = (
        ops.cast(densify(gradient, variable.shape), dtype)
        for gradient in (one, other)
    )
    return one + other


def _checked(name, gradient, variable):
    dtype = _dtype_name(gradient)
    if dtype.startswith("complex"):
        raise ValueError(
            f"`{name}` must be real. Received: a gradient of dtype {dtype} for "
            f"the variable {variable_path(variable)!r}"
        )
    shape, target = _known_shape(gradient), tuple(variable.shape)
    if shape is not None and not _fits(shape, target):
        raise ValueError(
            f"`{name}` must have the shapes of their variables. Received: a "
            f"gradient of shape {shape} for the variable "
            f"{variable_path(variable)!r} of shape {target}"
        )
    if shape is None or None in shape:
        import tensorflow as tf

        # Sparse rows are checked after they are made dense.
        if isinstance(gradient, tf.Tensor):
            return tf.ensure_shape(gradient, target)
    return gradient


def _dtype_name(value):
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        return np.asarray(value).dtype.name
    # A dtype of TensorFlow or NumPy, or else one whose string is its name,
    # such as "float32" or "torch.float32".
    return getattr(dtype, "name", None) or str(dtype).split(".")[-1]


def _known_shape(gradient):
    """Returns the static shape, with `None` for a size or rank not known."""
    shape = getattr(gradient, "shape", None)
    if shape is None:
        return np.shape(gradient)
    if getattr(shape, "rank", 0) is None:
        return None
    return tuple(shape)


def _fits(shape, target):
    return (
        shape == target
        or len(shape) == len(target)
        and all(
            one is None or other is None or one == other
            for one, other in zip(shape, target, strict=True)
        )
    )
