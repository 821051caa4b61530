"""Suggests clipping thresholds from samples of the gradient noise."""

import math
import sys

import numpy as np

from keras_clip.noise.reports.adaptive_suggestions import adaptive
from keras_clip.noise.reports.adaptive_suggestions import adaptive_by_layer
from keras_clip.noise.reports.early import is_early
from keras_clip.noise.reports.early import quantile_of
from keras_clip.noise.reports.suggestion import Suggestion
from keras_clip.noise.sampling.noise_samples import NoiseSamples
from keras_clip.thresholds import PolynomialThreshold
from keras_clip.validation import check_integer
from keras_clip.validation import check_number

_FIXED = (
    "Training changes these norms, up or down: an adaptive one goes along, "
    "this is for the parameters as they are."
)
_THEORY = "From a theorem on {}, which a network does not meet."


def suggest(
    samples: NoiseSamples,
    alpha: float | None,
    *,
    quantile: float = 0.9,
    smoothness: float | None = None,
    initial_gap: float | None = None,
    steps: int | None = None,
) -> dict[str, Suggestion]:
    """Returns clipping thresholds by the rules of both papers and quantiles.

    With `σ = (mean ‖g − ∇f‖^α)^(1/α)`, α at most 2, and `Q` a quantile of the
    norms ‖g‖:

    ```
    "adaptive clipped"  τ_k  = c · recent mean min(‖g‖, τ),
                               c = Q / mean min(‖g‖, Q)
    "adaptive"          τ_k  = c · recent mean ‖g‖,  c = Q / mean ‖g‖
    "quantile"          τ    = Q
    "clip_adam_norm"    τ_k  = σ · k^(1/(2α))
    "nonconvex"         τ    = max(2, 48^(1/(α−1)) · σ^(α/(α−1)), 8σ,
                                   (σ² · steps / (gap · L))^(1/(3α−2)))
    "strongly convex"   τ_k  = σ · k^(1/α)
    ```

    They are for the global norm. If the samples have the norms of each
    variable, there are three more, for `clipping="layer"`:

    ```
    "layer adaptive clipped", "layer adaptive", "layer quantile"
                        the same for the norms ‖g_i‖ of all variables i, with
                        the means of each variable
    ```

    The rules with quantiles are ready for use: at the parameters where the
    noise was sampled each clips one step (or variable) in ten, by default. The
    adaptive ones still do so when gradients have become smaller. A single very
    large gradient hardly affects the first of them, which suits heavy-tailed
    noise; the other one adapts quickly to norms that have grown.

    Early in training the full gradient is a large part of the norm and will
    become small. The constants c are then those of the
    noise alone, `‖g − ∇f‖` in place of `‖g‖`, whose norms spread more.

    The other rules follow theorems, up to constants. Two of these thresholds
    grow, so that in the end almost nothing is clipped. "nonconvex" is from
    Theorem 2, whose step size is at most `1/(L·τ^α)`; its last term balances
    the bound of the theorem. Its constants are large: expect it to clip
    nothing. It is left out if they overflow, as for α close to 1.

    If the largest mini-batches may be missing from the samples, see their
    `num_censored`, only means of clipped norms are known. Then only "adaptive
    clipped" and "quantile" remain, if enough samples are left.

    Args:
        samples: Samples of the noise.
        alpha: Float, the tail index of the noise, or `None` if unknown. Above
            2, which every finite variance allows, the rules use 2. For 1 or
            less, without a mean, and for `None`, only the rules with quantiles
            remain.
        quantile: Float in (0, 1), the share of steps that the rules with
            quantiles do not clip. Defaults to `0.9`.
        smoothness: Float L, the Lipschitz constant of the gradient. Defaults to
            `None`, which leaves out "nonconvex", as do the next two.
        initial_gap: Float, the loss at the start less the least loss. Defaults
            to `None`.
        steps: Int, the steps that training will take. Defaults to `None`.

    Returns:
        Dict from the name of a rule to its suggestion, those of theorems last.

    Raises:
        ValueError: If an argument is out of its range.

    Example:

    >>> import numpy as np
    >>> from keras_clip import noise
    >>> model = keras.Sequential([keras.layers.Input((2,)),
    ...                           keras.layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x = np.random.default_rng(0).normal(size=(256, 2))
    >>> samples = noise.sample(model, x, x[:, :1], batch_size=8, verbose=0)
    >>> suggestions = noise.suggest(samples, alpha=1.5, quantile=0.8)
    >>> threshold = suggestions["quantile"].clip_threshold
    >>> round(float(np.mean(samples.gradient_norms > threshold)), 2)
    0.2

    References:
        - [Zhang et al., 2020](https://arxiv.org/abs/1912.03194), Theorems 2
          and 4, section 4.2
        - [Chezhegov et al., 2025](https://arxiv.org/abs/2406.04443)
    """
    if alpha is not None:
        check_number("alpha", alpha, 0, open_low=True)
    check_number("quantile", quantile, 0, 1, open_low=True, open_high=True)
    if smoothness is not None:
        check_number("smoothness", smoothness, 0, open_low=True)
    if initial_gap is not None:
        check_number("initial_gap", initial_gap, 0, open_low=True)
    if steps is not None:
        check_integer("steps", steps, 1)
    found = [
        *adaptive(samples, quantile, early=is_early(samples, quantile)),
        *_quantile(samples, quantile),
    ]
    if not samples.num_censored:
        if samples.layer_gradient_norms is not None:
            found += _by_layer(samples, quantile)
        if alpha is not None and alpha > 1:
            found += _of_theorems(
                samples, alpha, smoothness, initial_gap, steps
            )
    return {suggestion.name: suggestion for suggestion in found}


def _quantile(samples, quantile):
    constant = quantile_of(samples.gradient_norms, samples, quantile)
    if math.isinf(constant) or not constant:
        return []
    rule = f"The {quantile:g} quantile of the sampled gradient norms"
    if samples.num_censored:
        rule += (
            f", of which {samples.num_censored} were left out and are taken "
            "for the largest"
        )
    return [Suggestion("quantile", constant, f"{rule}. {_FIXED}")]


def _by_layer(samples, quantile):
    constant = float(np.quantile(samples.layer_gradient_norms, quantile))
    if not constant:
        return []
    return [
        *adaptive_by_layer(
            samples, quantile, early=is_early(samples, quantile)
        ),
        Suggestion(
            "layer quantile",
            constant,
            f"The {quantile:g} quantile of the sampled gradient norms of all "
            f"variables. {_FIXED}",
            clipping="layer",
        ),
    ]


def _of_theorems(samples, alpha, smoothness, initial_gap, steps):
    alpha = min(float(alpha), 2.0)
    sigma = _moment(samples.noise_norms, alpha)
    scale = float(f"{sigma:.4g}")
    moment = f"α={alpha:.2f}, the noise's moment of that order σ={sigma:.4g}"
    yield Suggestion(
        "clip_adam_norm",
        PolynomialThreshold(scale, float(f"{1 / (2 * alpha):.4g}")),
        f"σ·k^(1/(2α)) of Chezhegov et al.: {moment}. "
        + _THEORY.format("Clip-Adam-Norm with smooth functions"),
        is_theory=True,
    )
    given = (smoothness, initial_gap, steps)
    if None not in given:
        yield from _nonconvex(alpha, sigma, *given)
    yield Suggestion(
        "strongly convex",
        PolynomialThreshold(scale, float(f"{1 / alpha:.4g}")),
        f"σ·k^(1/α) of Zhang et al., Theorem 4: {moment}. "
        + _THEORY.format("strongly convex functions"),
        is_theory=True,
    )


def _moment(norms, order):
    """Returns `(mean norm^order)^(1/order)`, whose powers may overflow."""
    largest = np.max(norms)
    return float(largest * np.mean((norms / largest) ** order) ** (1 / order))


def _nonconvex(alpha, sigma, smoothness, initial_gap, steps):
    log_sigma = math.log(sigma)
    # In logarithms, as the constants overflow for an index close to 1.
    logarithm = max(
        math.log(2),
        (math.log(48) + alpha * log_sigma) / (alpha - 1),
        math.log(8) + log_sigma,
        (
            2 * log_sigma
            + math.log(steps)
            - math.log(initial_gap)
            - math.log(smoothness)
        )
        / (3 * alpha - 2),
    )
    if logarithm > math.log(sys.float_info.max):
        return []
    return [
        Suggestion(
            "nonconvex",
            math.exp(logarithm),
            f"Zhang et al., Theorem 2: α={alpha:.2f}, σ={sigma:.4g}, "
            f"L={smoothness:g}, f_0={initial_gap:g}, K={steps}. Its constants "
            "are large: expect it to clip nothing.",
            is_theory=True,
        )
    ]
