"""Defines the report on samples of the noise: text, numbers and plots."""

import dataclasses
import functools
import json
import math
import pathlib

import numpy as np

from keras_clip.noise.estimators.hill import hill
from keras_clip.noise.estimators.kurtosis import kurtosis
from keras_clip.noise.estimators.log_moment import log_moment
from keras_clip.noise.estimators.squared_sum import SquaredSum
from keras_clip.noise.estimators.squared_sum_fits import fit_squared_gaussians
from keras_clip.noise.estimators.squared_sum_fits import fit_squared_stables
from keras_clip.noise.estimators.tail_index import TailIndex
from keras_clip.noise.reports.disagreement import disagreement
from keras_clip.noise.reports.panels import draw_report
from keras_clip.noise.reports.recommendation import Recommendation
from keras_clip.noise.reports.recommendation import recommend
from keras_clip.noise.reports.report_text import text_of
from keras_clip.noise.reports.suggestion import Suggestion
from keras_clip.noise.sampling.noise_samples import NoiseSamples


@dataclasses.dataclass(frozen=True, eq=False)
class NoiseReport:
    """Computes estimates, fits and thresholds from samples of the noise.

    An estimate that is not possible is `None`, and `caveats` has the reason.
    All estimates are `None` if the largest mini-batches may be missing from the
    samples, which have a positive `num_censored` then. Everything except the
    suggestions is computed on first access.

    Args:
        samples: The samples.
        confidence: Float in (0, 1), of the intervals.
        suggestions: Dict from the name of a rule to a suggested threshold.
        quantile: Float in (0, 1), the share of steps that the suggested
            thresholds do not clip. Defaults to `0.9`.
    """

    samples: NoiseSamples
    confidence: float
    suggestions: dict[str, Suggestion]
    quantile: float = 0.9

    @property
    def tail_index(self) -> TailIndex | None:
        """Returns Hill's estimate on the norms of the noise."""
        return self._tail_index[0]

    @property
    def stable_index(self) -> TailIndex | None:
        """Returns the log-moment estimate on projections of the noise."""
        return self._stable_index[0]

    @property
    def kurtosis(self) -> float | None:
        """Returns the kurtosis of the projections, 3 for Gaussian noise."""
        return self._kurtosis[0]

    @property
    def gaussian_fit(self) -> SquaredSum | None:
        """Returns the squared norms' fit as a sum of squared Gaussians."""
        return self._gaussian_fit[0]

    @property
    def stable_fit(self) -> SquaredSum | None:
        """Returns the squared norms' fit as a sum of squared stables."""
        return self._stable_fit[0]

    @functools.cached_property
    def layers(self) -> dict[str, TailIndex | None]:
        """Returns Hill's estimate for each variable sampled `per_layer`."""
        norms = self.samples.layer_noise_norms
        if norms is None:
            return {}
        return {
            path: self._attempt(hill, column, confidence=self.confidence)[0]
            for path, column in zip(self.samples.paths, norms.T, strict=True)
        }

    @property
    def caveats(self) -> tuple[str, ...]:
        """Returns sentences on the limits of samples and estimates."""
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
        contradiction = disagreement(self.tail_index, self.stable_index)
        if contradiction:
            found.append(contradiction)
        return (*self.samples.caveats, *found)

    def _attempt(self, estimate, samples, **options):
        """Returns an estimate and `None`, or `None` and the reason."""
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
        """Returns the verdict of Hill's estimate, `"unknown"` without one.

        Else it is `"heavy-tailed"`, `"not heavy-tailed"` or `"undecided"`; see
        `TailIndex`.
        """
        return self.tail_index.verdict if self.tail_index else "unknown"

    @functools.cached_property
    def recommendation(self) -> Recommendation:
        """Returns an optimizer with one of the suggestions, and advice."""
        return recommend(
            self.samples, self.verdict, self.suggestions, self.quantile
        )

    def plot(self, path: str | pathlib.Path):
        """Draws histogram, tail, Hill plot and variance curve into a file.

        Args:
            path: Path of the file; its ending decides the format.

        Raises:
            ImportError: If matplotlib is not installed.
        """
        draw_report(self).savefig(path)

    def save(self, path: str | pathlib.Path):
        """Writes all but the samples to a JSON file.

        Args:
            path: Path of the file.
        """
        text = json.dumps(
            self.summary(), indent=1, ensure_ascii=False, allow_nan=False
        )
        pathlib.Path(path).write_text(text + "\n", encoding="utf-8")

    def summary(self) -> dict:
        """Returns all but the samples as nested dicts, fit for JSON.

        Numbers that JSON does not have, NaN and infinity, are `None`.
        """
        samples = self.samples
        norms = samples.noise_norms
        recommendation = self.recommendation
        suggested = recommendation.suggestion
        found = {
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
                    "clip_threshold": suggestion.serialized,
                    "clipping": suggestion.clipping,
                    "optimizers": list(suggestion.optimizers),
                    "rule": suggestion.rule,
                    "is_theory": suggestion.is_theory,
                }
                for name, suggestion in self.suggestions.items()
            },
            "recommendation": {
                "line": recommendation.line,
                "import_line": recommendation.import_line,
                "suggestion": suggested.name if suggested else None,
                "advice": list(recommendation.advice),
                "is_early": recommendation.is_early,
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
            "framework": samples.framework,
            "seed": samples.seed,
            "caveats": list(self.caveats),
        }
        return _finite(found)

    def __str__(self) -> str:
        return text_of(self)


def _asdict(value):
    return None if value is None else dataclasses.asdict(value)


def _finite(value):
    """Returns nested values with `None` for numbers that are not finite."""
    if isinstance(value, dict):
        return {name: _finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
