"""What to do about the noise that was found."""

import dataclasses

from keras_clip.noise.suggestion import Suggestion


@dataclasses.dataclass(frozen=True)
class Recommendation:
    """An optimizer and its threshold, and what to expect of it.

    Args:
        line: A line of code that makes the optimizer, after `import_line`.
        import_line: The import that it needs.
        suggestion: The suggestion whose threshold it has, or `None` for an
            optimizer that needs none.
        advice: Sentences: whether clipping is worth while, and what to do
            first.
        is_early: Whether the model is yet to be trained, as `early.is_early`
            tells.
    """

    line: str
    import_line: str
    suggestion: Suggestion | None
    advice: tuple[str, ...]
    is_early: bool

    def __str__(self) -> str:
        return self.line
