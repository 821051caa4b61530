"""Says what to do about the noise that was found."""

import dataclasses
import json

from keras_clip.noise.suggestion import Suggestion


@dataclasses.dataclass(frozen=True)
class Recommendation:
    """An optimizer and its threshold, and what to expect of it.

    Args:
        name: The optimizer's name in the registry.
        line: A line of code that makes the optimizer, after `import_line`.
        import_line: The import that it needs.
        suggestion: The suggestion whose threshold it has, or `None` for an
            optimizer that needs none.
        advice: Sentences: whether clipping is worth while, and what to do
            first.
        is_early: Whether the model is yet to be trained, as `early.is_early`
            tells.
    """

    name: str
    line: str
    import_line: str
    suggestion: Suggestion | None
    advice: tuple[str, ...]
    is_early: bool

    @property
    def yaml(self) -> str:
        """The same for TF Model Garden, below `trainer.optimizer_config`."""
        arguments = {}
        if self.suggestion is not None:
            arguments["clip_threshold"] = self.suggestion.serialized
        chosen = {"type": self.name, self.name: arguments}
        return f"optimizer: {json.dumps(chosen)}"

    def __str__(self) -> str:
        return self.line
