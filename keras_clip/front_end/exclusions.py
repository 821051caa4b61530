"""Selects the variables that are excluded from weight decay."""

import dataclasses
import re
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

from keras_clip.step.pairing import variable_path
from keras_clip.validation import check_exclusions


@dataclasses.dataclass(frozen=True)
class Exclusions:
    """Stores which variables are excluded from weight decay.

    Args:
        patterns: Regular expressions that match names or paths.
        positions: Positions among the optimizer's variables.
        paths: Paths of single variables by their unique keys, until their
            positions are known.
    """

    patterns: tuple[str, ...] = ()
    positions: frozenset[int] = frozenset()
    paths: Mapping[object, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, listed: Sequence[str | int] | None) -> "Exclusions":
        """Returns the exclusions that `exclude_from_weight_decay` lists.

        Args:
            listed: Regular expressions and positions.

        Raises:
            ValueError: If it holds anything else.
        """
        checked = check_exclusions("exclude_from_weight_decay", listed)
        return cls(
            tuple(item for item in checked if isinstance(item, str)),
            frozenset(item for item in checked if not isinstance(item, str)),
        )

    def listed(self) -> list[str | int]:
        """Returns the list from which `of` makes these exclusions again."""
        return [
            *self.patterns,
            *sorted(self.positions),
            *(f"^{re.escape(path)}$" for path in self.paths.values()),
        ]

    def extended(
        self, patterns: Sequence[str], paths: Mapping[object, str]
    ) -> "Exclusions":
        """Returns these exclusions and further ones."""
        return dataclasses.replace(
            self,
            patterns=(*self.patterns, *patterns),
            paths={**self.paths, **paths},
        )

    def match(self, variable) -> bool:
        """Returns whether a pattern matches a variable's name or path."""
        return any(
            re.search(pattern, name)
            for pattern in self.patterns
            for name in (variable.name, variable_path(variable))
        )

    def located(self, variables: Sequence, key: Callable) -> "Exclusions":
        """Returns the exclusions with positions in place of paths.

        Paths can change when a model is saved and loaded (keras 3.15.1): a
        `Sequential` drops its name from them. Positions do not change.

        Args:
            variables: List of the optimizer's variables.
            key: Callable that returns the unique key of a variable.
        """
        found = {
            position
            for position, variable in enumerate(variables)
            if key(variable) in self.paths
        }
        return Exclusions(self.patterns, self.positions | found)
