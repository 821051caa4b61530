"""Loads an optimizer's variables: all of them, or none."""

import warnings

import numpy as np

# Entry of a file for the number of values, which stand beside it by number.
# Files from before the `later_variables` do not have it.
_COUNT = "count"


class SavedVariables:
    """Checks all loaded values before it assigns any of them, as a mixin.

    Keras assigns one variable after the other until one does not fit, and
    only checks their number before (keras/src/optimizers/base_optimizer.py,
    3.15.1). For a rule without slots, that number does not show that a file is
    of a model with other frozen layers.

    Attributes:
        later_variables: The last of the optimizer's variables, which older
            files lack. They are set to zero when such a file is loaded.
    """

    def save_own_variables(self, store):
        """Writes the variables to a file.

        Args:
            store: Mapping from names to arrays, to write to.
        """
        super().save_own_variables(store)
        store[_COUNT] = np.asarray(len(self.variables))

    def load_own_variables(self, store):
        """Loads the variables from a file, or warns if they do not fit.

        Args:
            store: Mapping from the values' numbers, as strings, to arrays.
        """
        names = set(store.keys())
        is_old = _COUNT not in names
        names.discard(_COUNT)
        values = [store[str(index)] for index in range(len(names))]
        reason = self._assign_variables(values, is_old)
        if reason is not None:
            warnings.warn(
                f"Skipping variable loading for optimizer '{self.name}', "
                f"because {reason}.",
                stacklevel=2,
            )

    def set_weights(self, weights):
        """Assigns values to all of the optimizer's variables.

        Args:
            weights: List of arrays, in the order of `variables`.

        Raises:
            ValueError: If their number or one of their shapes is not that of
                the variables; then none is assigned.
        """
        weights = list(weights)
        if not self._has_state():
            super().set_weights(weights)
            return
        # Both frameworks load HDF5 files by this method, with their data sets.
        paths = [getattr(value, "name", "") for value in weights]
        is_old = bool(paths) and all(
            path.endswith(f"/{_name(variable)}")
            for path, variable in zip(paths, self.variables, strict=False)
        )
        is_old = is_old and len(weights) < len(self.variables)
        reason = self._assign_variables(weights, is_old)
        if reason is not None:
            raise ValueError(
                "`weights` must hold one array for each variable of the "
                f"optimizer, of its shape. Received: weights where {reason}"
            )

    def _assign_variables(self, values, is_old):
        """Assigns values to all variables, or returns why they do not fit.

        Values from an old file lack those of the `later_variables`.
        """
        variables = list(self.variables)
        known = variables
        if is_old:
            known = variables[: len(variables) - len(self.later_variables)]
        if len(values) != len(known):
            reason = (
                f"it has {len(known)} variables whereas the saved optimizer "
                f"has {len(values)} variables"
            )
            if not self._has_state():
                reason += ": it has not been built yet"
            return reason
        for variable, value in zip(known, values, strict=True):
            if _shape(variable) != _shape(value):
                return (
                    f"its variable '{_name(variable)}' has the shape "
                    f"{_shape(variable)} whereas the saved one has the shape "
                    f"{_shape(value)}"
                )
        for variable, value in zip(known, values, strict=True):
            variable.assign(value)
        for variable in variables[len(known) :]:
            variable.assign(np.zeros(_shape(variable)))
        return None


def _name(variable):
    """Returns the name of a variable in HDF5 files."""
    return getattr(variable, "path", variable.name)


def _shape(value):
    return tuple(getattr(value, "shape", np.shape(value)))
