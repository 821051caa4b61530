"""How many updates an optimizer has made, and each of its variables."""

from keras import ops


class UpdateCounts:
    """A mixin: the update count, and how much of it each variable has missed.

    `update_count` counts the updates, without steps that were skipped whole.
    `missed_updates` has an entry for each variable, of the updates in which it
    was not given or was skipped whole, where moments of single variables are
    corrected by their number; else it is `None`. What a variable has missed is
    kept, not what it was given: files from before there was such a count have
    nothing of it, which is right for variables that were always updated.
    """

    missed_updates = None

    def _corrects_single_variables(self):
        """Returns whether moments are corrected by counts of variables."""
        threshold = self._threshold
        by_variable = (
            threshold is not None
            and threshold.moves_with_norm
            and self.rule.clipping != "global"
        )
        return by_variable or self.rule.is_corrected

    def _number_of_update(self):
        """Returns k, the number of the update that is being made, from 1."""
        return self._value(self.update_count) + 1

    def _own_numbers(self, variables):
        """Returns the number of this update of each variable, from 1.

        Args:
            variables: List of the variables of this step.

        Returns:
            Tensor with an entry for each, or `None` where nothing needs it.
        """
        if self.missed_updates is None:
            return None
        missed = self._value(self.missed_updates)
        indices = [self._index(variable) for variable in variables]
        if indices != list(range(len(self._slots))):
            missed = ops.take(missed, indices)
        return self._number_of_update() - missed

    def _number_of_each(self, numbers, variables):
        """Returns a list of what `_own_numbers` has, or of k for all."""
        if numbers is None:
            return [self._number_of_update()] * len(variables)
        return ops.unstack(numbers, len(variables))

    def _note_missed(self, norms, variables, counts):
        """Counts this update for those that miss it.

        Args:
            norms: Tensor of the norm of each variable's gradient; needed where
                a variable is skipped whole if its norm is not finite.
            variables: List of the variables of this step.
            counts: Whether this is an update: `True` or a boolean tensor.
        """
        if self.missed_updates is None:
            return
        indices = [self._index(variable) for variable in variables]
        size = len(self._slots)
        may_skip = (
            self.nonfinite == "skip" and self.nonfinite_scope == "variable"
        )
        if indices == list(range(size)) and not may_skip:
            return
        dtype = self.missed_updates.dtype
        missed = ops.zeros((len(indices),), dtype)
        if may_skip:
            missed = ops.cast(ops.logical_not(ops.isfinite(norms)), dtype)
        if indices != list(range(size)):
            where = [[index] for index in indices]
            missed = ops.scatter_update(ops.ones((size,), dtype), where, missed)
        if counts is not True:
            missed = ops.where(counts, missed, ops.zeros_like(missed))
        self.missed_updates.assign_add(missed)
