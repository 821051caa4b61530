"""Loads an optimizer's variables: all of them, or none."""

import warnings

import numpy as np


class SavedVariables:
    """A mixin: what is loaded is checked as a whole before it is assigned.

    Keras assigns one variable after the other until one does not fit
    (keras/src/optimizers/base_optimizer.py, 3.15.1), and checks by their number
    alone before. That tells models apart whose layers are frozen otherwise
    where every variable has slots, but not for the rules without.

    Attributes:
        later_variables: The last of the optimizer's variables, which files from
            before there were any do not have. They are zero then.
    """

    later_variables = ()

    def load_own_variables(self, store):
        """Loads the variables from a file, or warns if they do not fit.

        Args:
            store: The file's values by their numbers, as strings.
        """
        values = [store[str(index)] for index in range(len(store.keys()))]
        pairs = self._paired_with(values)
        if pairs is None:
            super().load_own_variables(store)
            return
        for variable, value in pairs:
            if _shape(variable) != _shape(value):
                warnings.warn(
                    f"Skipping variable loading for optimizer '{self.name}', "
                    f"because its variable '{variable.name}' has the shape "
                    f"{_shape(variable)} whereas the saved one has the shape "
                    f"{_shape(value)}.",
                    stacklevel=2,
                )
                return
        for variable, value in pairs:
            variable.assign(value)

    def set_weights(self, weights):
        """Assigns values to all of the optimizer's variables.

        Args:
            weights: List of arrays, in the order of `variables`.

        Raises:
            ValueError: If they are not as many as the variables, or one is of
                another shape; none is assigned then.
        """
        weights = list(weights)
        if not self._has_state():
            super().set_weights(weights)
            return
        pairs = self._paired_with(weights)
        if pairs is None:
            raise ValueError(
                "`weights` must hold one array for each variable of the "
                f"optimizer. Received: {len(weights)} arrays for "
                f"{len(self.variables)} variables"
            )
        for variable, value in pairs:
            if _shape(variable) != _shape(value):
                raise ValueError(
                    "`weights` must have the shapes of the optimizer's "
                    f"variables. Received: an array of shape {_shape(value)} "
                    f"for '{variable.name}' of shape {_shape(variable)}"
                )
        for variable, value in pairs:
            variable.assign(value)

    def _paired_with(self, values):
        """Returns pairs of variables and values, `None` if they differ.

        Args:
            values: List of arrays.
        """
        variables = list(self.variables)
        later = self.later_variables
        if len(values) == len(variables) - len(later):
            values = [*values, *(np.zeros(_shape(v)) for v in later)]
        if len(values) != len(variables):
            return None
        return list(zip(variables, values, strict=True))


def _shape(value):
    return tuple(getattr(value, "shape", np.shape(value)))
