"""Defines samples of the gradient noise of a model."""

import dataclasses
import json
import pathlib

import numpy as np


@dataclasses.dataclass(frozen=True)
class NoiseSamples:
    """Stores samples of gradients and of their noise at fixed parameters.

    ```
    noise_norms[i]    = ‖g_i − ∇f‖
    gradient_norms[i] = ‖g_i‖
    projections[i, j] = ⟨v_j, g_i − ∇f⟩,   ‖v_j‖ = 1
    ```

    Args:
        noise_norms: Array of shape `(n,)`, one entry for each mini-batch whose
            gradient was finite.
        gradient_norms: Array of shape `(n,)`.
        projections: Array of shape `(n, p)`, on p random directions.
        full_gradient_norm: Float, `‖∇f‖`.
        full_gradient_batches: Int, the number of batches in the mean `∇f`.
        covers_data: Whether these are all batches of a finite data set.
        loss: Float, the mean loss of those batches.
        batch_size: Int, examples in a mini-batch.
        training: Whether layers ran as in training.
        is_random: Whether the gradient of a batch differs from call to call, as
            with dropout.
        is_batch_dependent: Whether the gradient of an example depends on the
            others in its batch, as with batch normalization.
        num_requested: Int, the number of samples that were requested.
        num_nonfinite: Int, the number of mini-batches that were left out
            because their gradient was NaN or infinite.
        full_gradient_nonfinite: Int, the number of batches that the full
            gradient leaves out for the same reason.
        num_partial: Int, the number of smaller mini-batches that were left out
            of the samples because they have more noise.
        seed: Int, the seed of the sampling.
        paths: Tuple of the paths of the trainable variables.
        layer_noise_norms: Array of shape `(n, len(paths))`, or `None`. Defaults
            to `None`.
        layer_gradient_norms: As `layer_noise_norms`.
        num_censored: Int, how many of the `num_nonfinite` mini-batches have
            finite data: their gradient may be too large for its precision.
            Defaults to `0`.
        framework: `"keras"` or `"tf_keras"`, the framework of the model.
            Defaults to `"keras"`.
    """

    noise_norms: np.ndarray
    gradient_norms: np.ndarray
    projections: np.ndarray
    full_gradient_norm: float
    full_gradient_batches: int
    covers_data: bool
    loss: float
    batch_size: int
    training: bool
    is_random: bool
    is_batch_dependent: bool
    num_requested: int
    num_nonfinite: int
    full_gradient_nonfinite: int
    num_partial: int
    seed: int
    paths: tuple[str, ...]
    layer_noise_norms: np.ndarray | None = None
    layer_gradient_norms: np.ndarray | None = None
    num_censored: int = 0
    framework: str = "keras"

    def __len__(self) -> int:
        return len(self.noise_norms)

    @property
    def exact(self) -> bool:
        """Returns whether the full gradient is exactly that of all data."""
        inexact = self.is_random or self.is_batch_dependent
        complete = self.covers_data and not self.full_gradient_nonfinite
        return complete and not inexact

    @property
    def full_gradient_error(self) -> float:
        """Returns the standard error `√(E‖ḡ − ∇f‖²)` of the full gradient.

        It is 0 if the full gradient is exact, else
        `√(mean(‖g − ḡ‖²) / full_gradient_batches)`, which assumes that the
        noise has a variance. It is an upper bound if the full gradient is that
        of all data and only dropout or the like is random.
        """
        if self.exact:
            return 0.0
        # Squares of the norms may overflow.
        largest = np.max(self.noise_norms)
        variance = np.mean(np.square(self.noise_norms / largest))
        return float(largest * np.sqrt(variance / self.full_gradient_batches))

    @property
    def caveats(self) -> tuple[str, ...]:
        """Returns sentences on the limits of these samples."""
        drawn = len(self) + self.num_nonfinite
        return tuple(
            text
            for holds, text in (
                (
                    drawn < self.num_requested,
                    f"The data set ended after {drawn} of "
                    f"{self.num_requested} mini-batches.",
                ),
                (
                    self.num_nonfinite,
                    f"{self.num_nonfinite} mini-batches with a gradient that "
                    "is NaN or infinite were left out of the samples.",
                ),
                (
                    self.num_censored,
                    f"Of {self.num_censored} of these the data are finite: "
                    "their gradients overflow, or are undefined, and may be "
                    "the largest.",
                ),
                (
                    self.full_gradient_nonfinite,
                    f"{self.full_gradient_nonfinite} batches with such a "
                    "gradient were left out of the full gradient.",
                ),
                (
                    self.is_random,
                    "The same batch gives another gradient each time, as with "
                    "dropout: the full gradient is an estimate.",
                ),
                (
                    self.is_batch_dependent,
                    "Batch normalization makes an example's gradient depend "
                    "on its batch: the full gradient is an estimate.",
                ),
                (
                    not self.covers_data,
                    "The full gradient is estimated from "
                    f"{self.full_gradient_batches} mini-batches.",
                ),
            )
            if holds
        )

    def save(self, path: str | pathlib.Path):
        """Writes the samples to a JSON file.

        Args:
            path: Path of the file.
        """
        values = {
            field.name: _listed(getattr(self, field.name))
            for field in dataclasses.fields(self)
        }
        pathlib.Path(path).write_text(json.dumps(values) + "\n")

    @classmethod
    def load(cls, path: str | pathlib.Path) -> "NoiseSamples":
        """Returns the samples that `save` has written.

        Args:
            path: Path of the file.

        Returns:
            Samples.
        """
        values = json.loads(pathlib.Path(path).read_text())
        # Older files lack it: any of these may have been the largest.
        values.setdefault("num_censored", values["num_nonfinite"])
        for name in _ARRAYS:
            if values[name] is not None:
                values[name] = np.asarray(values[name], "float64")
        return cls(**{**values, "paths": tuple(values["paths"])})


_ARRAYS = (
    "noise_norms",
    "gradient_norms",
    "projections",
    "layer_noise_norms",
    "layer_gradient_norms",
)


def _listed(value):
    if not isinstance(value, np.ndarray):
        return value
    if value.ndim > 1:
        return [_listed(row) for row in value]
    # The sampling error is far larger than the seventh digit.
    return [float(f"{number:.6g}") for number in value]
