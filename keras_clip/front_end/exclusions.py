"""Which variables weight decay leaves out."""

import dataclasses
import re
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

from keras_clip.step.pairing import variable_path
from keras_clip.validation import check_exclusions


@dataclasses.dataclass(frozen=True)
class Exclusions:
    """Which variables weight decay leaves out, as an optimizer is told.

    Args:
        patterns: Regular expressions of names or paths.
        positions: Positions among the optimizer's variables.
        paths: Paths of single variables by what tells each from all others,
            before their positions are known.
    """

    patterns: tuple[str, ...] = ()
    positions: frozenset[int] = frozenset()
    paths: Mapping[object, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, listed: Sequence[str | int] | None) -> "Exclusions":
        """Returns what the argument `exclude_from_weight_decay` stands for.

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
        """Returns the argument that these are made of again."""
        return [
            *self.patterns,
            *sorted(self.positions),
            *(f"^{re.escape(path)}$" for path in self.paths.values()),
        ]

    def match(self, variable) -> bool:
        """Returns whether a pattern matches a variable's name or path.

        Args:
            variable: The variable.
        """
        return any(
            re.search(pattern, name)
            for pattern in self.patterns
            for name in (variable.name, variable_path(variable))
        )

    def located(self, variables: Sequence, key: Callable) -> "Exclusions":
        """Returns these with positions in place of paths.

        Paths can change when a model is saved and loaded (keras 3.15.1): a
        `Sequential` loses its own name in them. Positions do not.

        Args:
            variables: List of the optimizer's variables.
            key: Callable that returns what tells a variable from all others.
        """
        found = {
            position
            for position, variable in enumerate(variables)
            if key(variable) in self.paths
        }
        return Exclusions(self.patterns, self.positions | found)
