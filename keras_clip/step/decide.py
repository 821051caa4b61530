"""Decides how a step moves its variables, before any of them is moved."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from keras import ops

from keras_clip import clipping
from keras_clip.clipping import Tensor
from keras_clip.rules.clips import Bound
from keras_clip.rules.clips import Clip
from keras_clip.rules.clips import Factor
from keras_clip.rules.clips import Unclipped
from keras_clip.rules.nonfinite import Everywhere
from keras_clip.rules.nonfinite import Taken
from keras_clip.rules.nonfinite import Where
from keras_clip.step.current_threshold import taus_of
from keras_clip.step.gradient_norms import Norms
from keras_clip.step.gradient_norms import norms_of
from keras_clip.step.keras_clipping import clipped_as_by_keras
from keras_clip.step.part import Part
from keras_clip.step.scalars import Scalars
from keras_clip.step.settings import Settings


class Shares(NamedTuple):
    """Stores which share of a step's gradients is clipped.

    Attributes:
        of_all: Share of all gradients, a float32 scalar.
        of_each: Float32 vector with the share of each variable's gradient.
    """

    of_all: Tensor
    of_each: Tensor


class Decision(NamedTuple):
    """Stores how each variable is moved, and whether the step is taken.

    Attributes:
        gradients: The gradients in working dtypes, after Keras' clipping.
        clips: The clip of each gradient, applied next.
        numbers: The number of this update for each variable, from 1, scalars.
        shared: Scalars that the rule computes for all variables together.
        taken: Whether the step is taken at all.
        measured: Norms of the gradients before any clipping; `None` if none
            were computed.
        norms: Norms of `gradients` if the clips depend on them, else
            `measured`.
        shares: The clipped shares; `None` if coordinates have to be counted.
        scalars: The scalars, of which the threshold's moments and those of the
            rule are updated, and no others.
    """

    gradients: Sequence[Tensor]
    clips: Sequence[Clip]
    numbers: Sequence[Tensor]
    shared: tuple[Tensor, ...]
    taken: Taken
    measured: Norms | None
    norms: Norms | None
    shares: Shares | None
    scalars: Scalars


def decide(
    settings: Settings, gradients: Sequence, scalars: Scalars, part: Part
) -> Decision:
    """Returns the decision on a step.

    The gradients are those of the global batch: dense, reduced over replicas,
    averaged over micro-batches and divided by the loss scale. A norm that is
    not finite makes the gradients that it clips NaN, and the rule skips them.

    Args:
        settings: The settings.
        gradients: List of tensors, in the working dtypes of their variables.
        scalars: The scalars before the step.
        part: The part of the optimizer's variables that has these gradients.
    """
    measured = None
    if settings.takes_norms:
        measured = norms_of(gradients, part.dtype)
    norms = measured
    if not settings.clip_per_replica:
        unclipped = gradients
        gradients = clipped_as_by_keras(settings, gradients, measured)
        if gradients is not unclipped and settings.rule_scope != "coordinate":
            norms = norms_of(gradients, part.dtype)
    taken = Everywhere()
    if settings.skips and settings.nonfinite_scope == "step":
        taken = Where(ops.isfinite(norms.of_all))
    numbers = None
    if scalars.missed_updates is not None:
        missed = part.entries(scalars.missed_updates)
        numbers = scalars.update_count + 1 - missed
    clips, shares, scalars = _clips(settings, norms, numbers, scalars, part)
    shared, scalars = _advanced(settings, norms, clips, taken, scalars)
    count = len(part.positions)
    if numbers is None:
        numbers = [scalars.update_count + 1] * count
    else:
        numbers = ops.unstack(numbers, count)
    return Decision(
        gradients,
        clips,
        numbers,
        shared,
        taken,
        measured,
        norms,
        shares,
        scalars,
    )


def _clips(settings, norms, numbers, scalars, part):
    """Returns the clips, the clipped shares, and the scalars."""
    scope = settings.rule_scope
    count = len(part.positions)
    taus = [math.inf] * count
    if settings.clip_threshold is not None and not settings.clip_per_replica:
        followed = None
        if norms is not None:
            is_global = settings.clipping == "global"
            followed = norms.of_all if is_global else norms.of_each
        taus, scalars = taus_of(settings, scalars, followed, numbers, part)
    elif scope == "coordinate":
        return [Unclipped()] * count, None, scalars
    if settings.clipping == "coordinate":
        if scope != "coordinate":
            of_each = [norms.of_all] * count
            if scope == "variable":
                of_each = ops.unstack(norms.of_each, count)
            taus = [
                ops.where(ops.isfinite(norm), tau, tau * math.nan)
                for norm, tau in zip(of_each, taus, strict=True)
            ]
        return [Bound(tau) for tau in taus], None, scalars
    if settings.clipping == "global":
        factor = clipping.clip_factor(norms.of_all, taus[0])
        share = ops.cast(factor < 1, "float32")
        shares = Shares(share, ops.broadcast_to(share, (count,)))
        return [Factor(factor)] * count, shares, scalars
    same = all(tau is taus[0] for tau in taus)
    tau = ops.cast(taus[0] if same else ops.stack(taus), norms.of_each.dtype)
    factors = clipping.clip_factor(norms.of_each, tau)
    of_each = ops.cast(factors < 1, "float32")
    clips = [Factor(factor) for factor in ops.unstack(factors, count)]
    return clips, Shares(ops.mean(of_each), of_each), scalars


def _advanced(settings, norms, clips, taken, scalars):
    """Returns what the rule shares for the step, and the updated scalars."""
    if not scalars.shared:
        return (), scalars
    shared, after = settings.rule.advance(
        clips[0].factor * norms.of_all, scalars.shared, scalars.update_count + 1
    )
    after = tuple(
        taken.choose(new, old)
        for new, old in zip(after, scalars.shared, strict=True)
    )
    return shared, scalars._replace(shared=after)
