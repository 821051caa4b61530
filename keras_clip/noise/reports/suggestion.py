"""Defines a suggested clipping threshold, with the rule behind it."""

import dataclasses
import inspect

from keras_clip.noise.reports.optimizers_for import calls_for
from keras_clip.noise.reports.optimizers_for import optimizers_for
from keras_clip.thresholds import Threshold
from keras_clip.thresholds import serialize


@dataclasses.dataclass(frozen=True)
class Suggestion:
    """Stores a suggested clipping threshold and the rule behind it.

    Args:
        name: Name of the rule.
        clip_threshold: The value for an optimizer's `clip_threshold`.
        rule: The rule in words, with its numbers.
        clipping: `"global"` or `"layer"`, the clipping that it is for. Clipping
            by coordinate would accept it, but clip almost nothing. Defaults to
            `"global"`.
        is_theory: Whether it follows a theorem, and is not one to start with.
            Defaults to `False`.

    Attributes:
        optimizers: Names of the classes that it is for.

    Example:

    >>> from keras_clip.noise import Suggestion
    >>> suggestion = Suggestion("mine", 2.5, "A guess.", clipping="layer")
    >>> suggestion.optimizers
    ('ClipAdam', 'ClipAdaGrad')
    >>> suggestion.argument
    '2.5'
    """

    name: str
    clip_threshold: float | Threshold
    rule: str
    clipping: str = "global"
    is_theory: bool = False

    @property
    def optimizers(self) -> tuple[str, ...]:
        """Returns the names of the classes that it is for."""
        return optimizers_for(self.clipping)

    @property
    def argument(self) -> str:
        """Returns the threshold as code, its class without a module."""
        threshold = self.clip_threshold
        if not isinstance(threshold, Threshold):
            return f"{threshold:.4g}"
        cls = type(threshold)
        parameters = inspect.signature(cls).parameters
        arguments = ", ".join(
            f"{name}={value!r}"
            for name, value in threshold.get_config().items()
            if name not in parameters or parameters[name].default != value
        )
        return f"{cls.__name__}({arguments})"

    @property
    def serialized(self) -> float | dict:
        """Returns the threshold as a value for JSON and YAML."""
        if isinstance(self.clip_threshold, Threshold):
            return serialize(self.clip_threshold)
        return self.clip_threshold

    def __str__(self) -> str:
        return (
            f"{self.name}: clip_threshold={self.argument}\n"
            f"    for {', '.join(calls_for(self.clipping))}\n"
            f"    {self.rule}"
        )
