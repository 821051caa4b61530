"""What samples of the gradient noise say, in words, numbers and pictures."""

import dataclasses
import functools
import json
import pathlib

import numpy as np

from keras_clip import thresholds
from keras_clip.noise.hill import hill
from keras_clip.noise.kurtosis import kurtosis
from keras_clip.noise.log_moment import log_moment
from keras_clip.noise.noise_samples import NoiseSamples
from keras_clip.noise.squared_sum import SquaredSum
from keras_clip.noise.squared_sum_fits import fit_squared_gaussians
from keras_clip.noise.squared_sum_fits import fit_squared_stables
from keras_clip.noise.suggestion import Suggestion
from keras_clip.noise.tail_index import TailIndex

_VERDICTS = {
    "heavy-tailed": "the noise is heavy-tailed: it has no variance.",
    "not heavy-tailed": "the noise is not heavy-tailed: it has a variance.",
    "undecided": (
        "undecided: the interval holds 2, below which there is no variance. "
        "More samples make it narrower."
    ),
    "unknown": "unknown: there are too few samples for an estimate.",
}
_CENSORED = (
    "unknown: the mini-batches that were left out may be those with the "
    "largest gradients, which tell how heavy the tail is."
)


@dataclasses.dataclass(frozen=True, eq=False)
class NoiseReport:
    """Estimates, fits and suggested thresholds from samples of the noise.

    What cannot be estimated is `None`, and `caveats` says why. So is every
    estimate if the largest mini-batches may be missing from the samples, as
    their `num_censored` says. All but the suggestions is computed when it is
    first asked for.

    Args:
        samples: The samples.
        confidence: Float in (0, 1), of the intervals.
        suggestions: Dict from the name of a rule to a suggested threshold.
    """

    samples: NoiseSamples
    confidence: float
    suggestions: dict[str, Suggestion]

    @property
    def tail_index(self) -> TailIndex | None:
        """Hill's estimate on the norms of the noise."""
        return self._tail_index[0]

    @property
    def stable_index(self) -> TailIndex | None:
        """The log-moment estimate on projections of the noise."""
        return self._stable_index[0]

    @property
    def kurtosis(self) -> float | None:
        """That of the projections, 3 for Gaussian noise."""
        return self._kurtosis[0]

    @property
    def gaussian_fit(self) -> SquaredSum | None:
        """The squared norms as a sum of squared Gaussians."""
        return self._gaussian_fit[0]

    @property
    def stable_fit(self) -> SquaredSum | None:
        """The squared norms as a sum of squared stable variables."""
        return self._stable_fit[0]

    @functools.cached_property
    def layers(self) -> dict[str, TailIndex | None]:
        """Hill's estimate for each variable, if `per_layer` was asked for."""
        norms = self.samples.layer_noise_norms
        if norms is None:
            return {}
        return {
            path: self._attempt(hill, column, confidence=self.confidence)[0]
            for path, column in zip(self.samples.paths, norms.T, strict=True)
        }

    @property
    def caveats(self) -> tuple[str, ...]:
        """Sentences on what limits samples and estimates."""
        found = [
            f"No {what}: {refusal}"
            for what, (_, refusal) in (
                ("tail index of the norms", self._tail_index),
                ("index of the projections", self._stable_index),
                ("kurtosis of the projections", self._kurtosis),
                ("fit of squared Gaussians", self._gaussian_fit),
                ("fit of squared stable variables", self._stable_fit),
            )
            if refusal
        ]
        tail, body = self.tail_index, self.stable_index
        if tail and body and tail.low >= 2 > body.high:
            found.append(
                "The estimates disagree: projections spread as those of a "
                "stable law, the largest norms fall off faster. Either the "
                "tail is no power, or the index is close to 2, where Hill's "
                "estimate is too high; see the plot of the tail."
            )
        return (*self.samples.caveats, *found)

    def _attempt(self, estimate, samples, **options):
        """Returns an estimate and `None`, or `None` and why there is none."""
        if self.samples.num_censored:
            return None, None
        try:
            return estimate(samples, **options), None
        except ValueError as error:
            return None, str(error)

    @functools.cached_property
    def _tail_index(self):
        return self._attempt(
            hill, self.samples.noise_norms, confidence=self.confidence
        )

    @functools.cached_property
    def _stable_index(self):
        projections = self.samples.projections
        if not projections.shape[1]:
            return None, None
        return self._attempt(
            log_moment, projections, confidence=self.confidence
        )

    @functools.cached_property
    def _kurtosis(self):
        projections = self.samples.projections
        if not projections.shape[1]:
            return None, None
        return self._attempt(kurtosis, projections)

    @functools.cached_property
    def _gaussian_fit(self):
        return self._attempt(fit_squared_gaussians, self.samples.noise_norms)

    @functools.cached_property
    def _stable_fit(self):
        return self._attempt(fit_squared_stables, self.samples.noise_norms)

    @property
    def verdict(self) -> str:
        """`"heavy-tailed"`, `"not heavy-tailed"`, `"undecided"`, `"unknown"`.

        What the interval of Hill's estimate says about the variance; unknown
        without an estimate.
        """
        return self.tail_index.verdict if self.tail_index else "unknown"

    def plot(self, path: str | pathlib.Path):
        """Draws histogram, tail, Hill plot and variance curve into a file.

        Args:
            path: Path of the file; its ending decides the format.

        Raises:
            ImportError: If matplotlib is not installed.
        """
        from keras_clip.noise.plots import plot_report

        plot_report(self).savefig(path)

    def save(self, path: str | pathlib.Path):
        """Writes all but the samples to a JSON file.

        Args:
            path: Path of the file.
        """
        text = json.dumps(self.summary(), indent=1, ensure_ascii=False)
        pathlib.Path(path).write_text(text + "\n", encoding="utf-8")

    def summary(self) -> dict:
        """Returns all but the samples as nested dicts, fit for JSON."""
        samples = self.samples
        norms = samples.noise_norms
        return {
            "verdict": self.verdict,
            "tail_index": _asdict(self.tail_index),
            "stable_index": _asdict(self.stable_index),
            "kurtosis": self.kurtosis,
            "layers": {
                path: _asdict(index) for path, index in self.layers.items()
            },
            "gaussian_fit": _asdict(self.gaussian_fit),
            "stable_fit": _asdict(self.stable_fit),
            "suggestions": {
                name: {
                    "clip_threshold": _serialized(suggestion.clip_threshold),
                    "rule": suggestion.rule,
                }
                for name, suggestion in self.suggestions.items()
            },
            "noise_norm": {
                "mean": float(np.mean(norms)),
                "median": float(np.median(norms)),
                "maximum": float(np.max(norms)),
            },
            "gradient_norm_median": float(np.median(samples.gradient_norms)),
            "full_gradient_norm": samples.full_gradient_norm,
            "full_gradient_error": samples.full_gradient_error,
            "loss": samples.loss,
            "num_samples": len(samples),
            "num_nonfinite": samples.num_nonfinite,
            "num_censored": samples.num_censored,
            "batch_size": samples.batch_size,
            "training": samples.training,
            "seed": samples.seed,
            "caveats": list(self.caveats),
        }

    def __str__(self) -> str:
        censored = self.samples.num_censored
        verdict = _CENSORED if censored else _VERDICTS[self.verdict]
        return "\n".join(
            [
                *self._on_samples(),
                "",
                f"Verdict: {verdict}",
                *self._on_tail(),
                *self._on_layers(),
                "",
                *self._on_thresholds(),
                *(["", "Caveats:"] if self.caveats else []),
                *(f"  - {caveat}" for caveat in self.caveats),
            ]
        )

    def _on_samples(self):
        samples = self.samples
        norms = samples.noise_norms
        error = "exact"
        if not samples.exact:
            error = f"standard error {samples.full_gradient_error:.4g}"
        return [
            f"Gradient noise of {len(samples)} mini-batches of "
            f"{samples.batch_size}, training={samples.training}",
            f"  loss {samples.loss:.4g}, norm of the full gradient "
            f"{samples.full_gradient_norm:.4g} ({error})",
            f"  norm of the noise: median {np.median(norms):.4g}, mean "
            f"{np.mean(norms):.4g}, largest {np.max(norms):.4g}",
        ]

    def _on_tail(self):
        if self.tail_index:
            yield (
                f"  tail index of the norms (Hill, {self.tail_index.k} "
                f"largest): {self.tail_index}"
            )
        if self.stable_index:
            yield (
                f"  index of projections if stable (log-moment): "
                f"{self.stable_index}"
            )
        if self.kurtosis is not None:
            yield (
                f"  kurtosis of projections: {self.kurtosis:.3g} (Gaussian: 3)"
            )
        for name, fit in (
            ("Gaussians", self.gaussian_fit),
            ("stable variables", self.stable_fit),
        ):
            if fit:
                yield (
                    f"  as a sum of {fit.dimension:.3g} squared {name}"
                    f"{'' if fit.alpha == 2 else f' of index {fit.alpha:.2f}'}"
                    f": Kolmogorov-Smirnov distance {fit.distance:.3f}"
                )

    def _on_thresholds(self):
        if self.suggestions:
            yield "Suggested thresholds, for the global norm if not by layer:"
            yield from (f"  {item}" for item in self.suggestions.values())
        else:
            yield "Suggested thresholds: none without the largest gradients."

    def _on_layers(self):
        if self.layers:
            yield "  tail index and median norm of the noise of each variable:"
            medians = np.median(self.samples.layer_noise_norms, axis=0)
            for (path, index), median in zip(
                self.layers.items(), medians, strict=True
            ):
                yield f"    {path}: {index or 'unknown'}, {median:.4g}"


def _asdict(value):
    return None if value is None else dataclasses.asdict(value)


def _serialized(threshold):
    if isinstance(threshold, thresholds.Threshold):
        return thresholds.serialize(threshold)
    return threshold
