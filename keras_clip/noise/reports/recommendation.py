"""Recommends an optimizer for the noise of a model."""

import dataclasses
import json

import numpy as np

from keras_clip.noise.estimators.sample_checks import MINIMUM
from keras_clip.noise.reports.early import is_early
from keras_clip.noise.reports.early import share_of_noise_clipped
from keras_clip.noise.reports.optimizers_for import optimizers_for
from keras_clip.noise.reports.suggestion import Suggestion
from keras_clip.noise.sampling.noise_samples import NoiseSamples
from keras_clip.registry import OPTIMIZERS
from keras_clip.thresholds import Threshold

_ADVICE = {
    "heavy-tailed": (
        "Clip these gradients: heavy-tailed noise is what clipping is for."
    ),
    "not heavy-tailed": (
        "Clipping these gradients mostly guards against rare spikes and may "
        "cost nothing, but do not expect it to help by itself: Adam alone may "
        "do as well."
    ),
    "undecided": (
        "Whether clipping helps is open: sample more mini-batches "
        "(`num_samples`), of which sixteen times as many halve the interval. "
        "The threshold below suits either case."
    ),
    "unknown": (
        "Whether clipping helps is unknown: the caveats say why there is no "
        "tail index."
    ),
}
_TOO_FEW = (
    f"Whether clipping helps is unknown: sample at least {MINIMUM} "
    "mini-batches (`num_samples`), better a thousand."
)
_CENSORED = (
    "Whether clipping helps is unknown without the largest gradients: compute "
    "in a wider range of numbers (bfloat16 or float32 instead of float16), and "
    "look for an operation that has no gradient somewhere, as a root at 0."
)
_EARLY = (
    "The full gradient still makes up much of these norms, as in a model that "
    "is untrained or far from a minimum, and it will shrink: a fixed threshold "
    "taken now would soon clip next to nothing (of the noise alone "
    "{alone:.2g} % of the steps, not {wanted:.2g} %), so take an adaptive one"
)
_TRAIN_FIRST = (
    ", or train for an epoch first and sample again, for the tail changes too"
)
_NO_THRESHOLD = (
    "No threshold can be suggested of these gradients; this optimizer finds "
    "its own."
)


@dataclasses.dataclass(frozen=True)
class Recommendation:
    """Stores an optimizer and its threshold, and advice on using it.

    Args:
        name: The optimizer's name in the registry.
        line: A line of code that makes the optimizer, after `import_line`.
        import_line: The import that the line needs.
        suggestion: The suggestion with the optimizer's threshold, or `None` for
            an optimizer that needs none.
        advice: Sentences on whether clipping is worthwhile and what to do
            first.
        is_early: Whether training will still shrink the gradients; see
            `early.is_early`.
    """

    name: str
    line: str
    import_line: str
    suggestion: Suggestion | None
    advice: tuple[str, ...]
    is_early: bool

    @property
    def yaml(self) -> str:
        """Returns the YAML for Model Garden's `trainer.optimizer_config`."""
        arguments = {}
        if self.suggestion is not None:
            arguments["clip_threshold"] = self.suggestion.serialized
        chosen = {"type": self.name, self.name: arguments}
        return f"optimizer: {json.dumps(chosen)}"

    def __str__(self) -> str:
        return self.line


def recommend(
    samples: NoiseSamples,
    verdict: str,
    suggestions: dict[str, Suggestion],
    quantile: float,
) -> Recommendation:
    """Returns one of the suggestions in an optimizer, with advice.

    An adaptive threshold stays right while gradients become smaller. The one
    with clipped norms is for noise that may be heavy-tailed. For other noise
    its multiplier is close to 1, and it would adapt slowly to norms that grow
    for good.

    Args:
        samples: The samples.
        verdict: The verdict of the report.
        suggestions: Dict from the name of a rule to a suggestion.
        quantile: Float in (0, 1), that of the suggestions.

    Returns:
        A recommendation.
    """
    early = is_early(samples, quantile)
    names = ["adaptive clipped", "adaptive", "quantile"]
    if verdict == "not heavy-tailed":
        names = ["adaptive", "quantile"]
    found = (suggestions[name] for name in names if name in suggestions)
    suggestion = next(found, None)
    module = "keras_clip"
    if samples.framework == "tf_keras":
        module = "keras_clip.tf_keras"
    info = _optimizer_for(suggestion)
    return Recommendation(
        name=info.name,
        line=_line(module, info, suggestion),
        import_line=f"import {module}",
        suggestion=suggestion,
        advice=tuple(_advice(samples, verdict, suggestion, quantile, early)),
        is_early=early,
    )


def _advice(samples, verdict, suggestion, quantile, early):
    if early and suggestion:
        sentence = _EARLY.format(
            alone=100 * share_of_noise_clipped(samples, quantile),
            wanted=100 * (1 - quantile),
        )
        # In trained models it is smaller than the noise.
        if samples.full_gradient_norm > np.median(samples.noise_norms):
            sentence += _TRAIN_FIRST
        yield f"{sentence}."
    if samples.num_censored:
        yield _CENSORED
    elif len(samples) < MINIMUM:
        yield _TOO_FEW
    else:
        yield _ADVICE[verdict]
    if suggestion is None:
        yield _NO_THRESHOLD


def _line(module, info, suggestion):
    call = f"optimizer = {module}.{info.class_name}({info.starting_rate:g}"
    if suggestion is None:
        return f"{call})"
    threshold = suggestion.argument
    if isinstance(suggestion.clip_threshold, Threshold):
        threshold = f"keras_clip.thresholds.{threshold}"
    return f"{call}, clip_threshold={threshold})"


def _optimizer_for(suggestion):
    """Returns the registry's entry of the optimizer to recommend.

    With a threshold it has the steps of Adam, and therefore its learning rates.
    """
    if suggestion is not None:
        return OPTIMIZERS["clip_adam"]
    names = optimizers_for(None)
    return next(i for i in OPTIMIZERS.values() if i.class_name in names)
