"""Checks the options of sampling, wherever they enter."""

import dataclasses

from keras_clip.validation import check_fields
from keras_clip.validation import integer_from
from keras_clip.validation import one_of


@dataclasses.dataclass(frozen=True)
class SamplingOptions:
    """Holds options of `keras_clip.noise.sample`.

    Raises:
        ValueError: If one is out of its range.
    """

    num_samples: int = integer_from(1, 1000)
    full_gradient_batches: int | None = integer_from(1, None, optional=True)
    per_layer: bool = one_of(False, (False, True))
    num_projections: int = integer_from(0, 4)
    training: bool = one_of(True, (False, True))
    seed: int = 0
    verbose: int | str = one_of("auto", (0, 1, "auto"))

    def __post_init__(self):
        check_fields(self)
