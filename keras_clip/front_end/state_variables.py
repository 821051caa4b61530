"""The variables that an optimizer keeps: scalars and slots."""

import math

from keras_clip.front_end.saved_variables import SavedVariables
from keras_clip.step.pairing import variable_path
from keras_clip.step.part import Part
from keras_clip.step.scalars import Scalars
from keras_clip.step.scalars import Start
from keras_clip.step.scalars import assign
from keras_clip.step.scalars import each
from keras_clip.step.scalars import starts
from keras_clip.step.settings import Settings
from keras_clip.thresholds.fitting import check_numbers


class StateVariables(SavedVariables):
    """A mixin: what the steps keep, in variables of the optimizer.

    The scalars of a step are attributes too: `update_count`, `gradient_norm`
    and what else `Scalars` has.

    Attributes:
        coordinate_count: How many coordinates all variables have together.
        variable_paths: Paths of the variables, in their order.
    """

    missed_updates = None

    _scalars = None

    @property
    def later_variables(self) -> list:
        """See `SavedVariables`."""
        return self._scalars.later if self._has_state() else []

    def _add_shared(self, name, value, dtype):
        """Returns a new variable of the optimizer's own.

        Args:
            name: String.
            value: A number, or a list or array of numbers.
            dtype: A dtype; `"int"` for the framework's own.
        """
        raise NotImplementedError

    def _add_slot(self, variable, name, value):
        """Returns a new variable like one of the model's, in working dtype.

        Args:
            variable: The model's variable.
            name: String.
            value: Number that it is filled with.
        """
        raise NotImplementedError

    def _value(self, variable):
        """Returns the tensor that a variable holds."""
        raise NotImplementedError

    def _index(self, variable):
        """Returns the position of one of the model's variables among all."""
        raise NotImplementedError

    def _assign_all(self, variables, values):
        """Assigns to each of the model's variables, on all replicas."""
        raise NotImplementedError

    def _has_state(self):
        return self._scalars is not None

    def _create_variables(self, settings: Settings, variables, stateless):
        """Creates the scalars and the slots, in their saved order.

        Args:
            settings: The optimizer's settings.
            variables: List of the model's variables.
            stateless: Positions of those that have no slots.
        """
        part = Part.all_of(variables)
        if settings.clip_threshold is not None:
            check_numbers(settings.clip_threshold, part.dtype)
        self.variable_paths = [variable_path(v) for v in variables]
        self.coordinate_count = sum(math.prod(v.shape) for v in variables)
        created = {}
        for name, start in starts(settings, part)._asdict().items():
            if name == Scalars.FIRST_LATER:
                self._slots = self._add_slots(settings, variables, stateless)
            if isinstance(start, Start):
                created[name] = self._add_shared(*start)
                setattr(self, name, created[name])
            else:
                created[name] = start and tuple(
                    self._add_shared(*one) for one in start
                )
        # Not attributes that Keras or TensorFlow tracks and saves.
        self.__dict__.update(_scalars=Scalars(**created), _part=part)

    def _add_slots(self, settings, variables, stateless):
        """Returns a list of new slots for each variable."""
        return [
            []
            if position in stateless
            else [
                self._add_slot(variable, name, value)
                for name, value in settings.rule.slots.items()
            ]
            for position, variable in enumerate(variables)
        ]

    def _part_of(self, variables):
        """Returns which of all variables these are."""
        positions = tuple(self._index(variable) for variable in variables)
        return self._part._replace(positions=positions)

    def _slots_of(self, part):
        """Returns the slots of some of the variables."""
        return [self._slots[position] for position in part.positions]

    def _read_scalars(self):
        """Returns the values of the scalars."""
        return each(self._value, self._scalars)

    def _assign_scalars(self, before, after):
        """Assigns what of the scalars has changed."""
        assign(self._scalars, before, after)

    def _unique_name(self, name, end=""):
        """Returns the name, with `_1` and so on if a variable has it already.

        HDF5 files keep variables by their names.

        Args:
            name: String.
            end: String that comes after it in the variable's whole name.
        """
        # Not an attribute that Keras or TensorFlow tracks and saves.
        names = self.__dict__.setdefault("_variable_names", set())
        unique, number = name, 0
        while unique + end in names:
            number += 1
            unique = f"{name}_{number}"
        names.add(unique + end)
        return unique
