"""Creates, reads and assigns an optimizer's variables: scalars and slots."""

import math

from keras_clip.front_end.saved_variables import SavedVariables
from keras_clip.step.pairing import variable_path
from keras_clip.step.part import Part
from keras_clip.step.scalars import Scalars
from keras_clip.step.scalars import Start
from keras_clip.step.scalars import assign
from keras_clip.step.scalars import each
from keras_clip.step.scalars import layout_of
from keras_clip.step.scalars import starts
from keras_clip.step.settings import Settings
from keras_clip.thresholds.fitting import check_numbers


class StateVariables(SavedVariables):
    """Stores slots and monitoring counters as optimizer variables, as a mixin.

    Each scalar is an attribute too: `update_count`, `gradient_norm` and the
    other fields of `Scalars`.

    Attributes:
        coordinate_count: Number of coordinates of all variables together.
        variable_paths: Paths of the variables, in their order.
    """

    missed_updates = None

    _scalars = None

    @property
    def later_variables(self) -> list:
        """Returns the variables that older files lack; see `SavedVariables`."""
        return self._scalars.later if self._has_state() else []

    def _add_shared(self, name, value, dtype):
        """Creates a variable for a `Start`, of no variable of the model."""
        raise NotImplementedError

    def _add_slot(self, variable, name, value):
        """Creates a slot of one of the model's variables, in working dtype.

        Args:
            variable: The model's variable.
            name: String.
            value: Number that the slot is filled with.
        """
        raise NotImplementedError

    def _value(self, variable):
        """Returns the tensor that a variable holds."""
        raise NotImplementedError

    def _index(self, variable):
        """Returns the position of one of the model's variables."""
        raise NotImplementedError

    def _assign_all(self, variables, values):
        """Assigns values to variables of the model, on all replicas."""
        raise NotImplementedError

    def has_state_for(self, settings: Settings) -> bool:
        """Returns whether steps with other settings need the same state."""
        if not self._has_state():
            return True
        needed = layout_of(settings, self._part)
        return needed == layout_of(self.step_settings, self._part)

    def _has_state(self):
        return self._scalars is not None

    def _create_variables(self, settings: Settings, variables, stateless):
        """Creates the scalars and the slots, in their saved order.

        Variables at the positions `stateless` have no slots.
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
        # In `__dict__`, so that neither Keras nor TensorFlow tracks them.
        self.__dict__.update(_scalars=Scalars(**created), _part=part)

    def _add_slots(self, settings, variables, stateless):
        """Creates the slots and returns a list of them for each variable."""
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
        """Returns the part of all variables that these are."""
        positions = tuple(self._index(variable) for variable in variables)
        return self._part._replace(positions=positions)

    def _slots_of(self, part):
        """Returns the slots of the variables in a part."""
        return [self._slots[position] for position in part.positions]

    def _read_scalars(self):
        """Returns the values of the scalars."""
        return each(self._value, self._scalars)

    def _assign_scalars(self, before, after):
        """Assigns the scalars that have changed."""
        assign(self._scalars, before, after)

    def _unique_name(self, name, end=""):
        """Returns the name, with `_1` and so on if a variable has it already.

        HDF5 files store variables by their names, which the end is a part of.
        """
        # In `__dict__`, so that neither Keras nor TensorFlow tracks it.
        names = self.__dict__.setdefault("_variable_names", set())
        unique, number = name, 0
        while unique + end in names:
            number += 1
            unique = f"{name}_{number}"
        names.add(unique + end)
        return unique
