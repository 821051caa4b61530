"""Decides on a step to all its variables before any of them is moved."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from keras import ops

from keras_clip import clipping
from keras_clip.rules.clips import Bound
from keras_clip.rules.clips import Clip
from keras_clip.rules.clips import Factor
from keras_clip.rules.clips import Unclipped
from keras_clip.rules.nonfinite import Everywhere
from keras_clip.rules.nonfinite import Taken
from keras_clip.rules.nonfinite import Where
from keras_clip.step.keras_clipping import clipped_as_by_keras
from keras_clip.step.norms import Norms
from keras_clip.step.norms import norms_of
from keras_clip.step.part import Part
from keras_clip.step.scalars import Scalars
from keras_clip.step.settings import Settings
from keras_clip.step.threshold import taus_of


class Shares(NamedTuple):
    """Says which share of a step's gradients is clipped.

    Attributes:
        of_all: Scalar float32 tensor.
        of_each: Float32 tensor with an entry for each variable.
    """

    of_all: object
    of_each: object


class Decision(NamedTuple):
    """Says how each variable is to be moved, and whether.

    Attributes:
        gradients: List of tensors, in working dtypes, clipped as by Keras.
        clips: List of what clips each of them next.
        numbers: List of scalar tensors, the number of this update of each
            variable, from 1.
        shared: Tuple of scalar tensors that the rule gives to all variables.
        taken: Whether the step is taken as a whole.
        measured: Norms of the gradients before any clipping; `None` if no norm
            was taken.
        norms: Norms of `gradients` if they are clipped by them, else as
            `measured`.
        shares: What is clipped; `None` if that takes a look at coordinates.
        scalars: The scalars, with the moments of the threshold and what the
            rule shares as of after the step, and all else as before it.
    """

    gradients: Sequence
    clips: Sequence[Clip]
    numbers: Sequence
    shared: tuple
    taken: Taken
    measured: Norms | None
    norms: Norms | None
    shares: Shares | None
    scalars: Scalars


def decide(
    settings: Settings, gradients: Sequence, scalars: Scalars, part: Part
) -> Decision:
    """Returns what a step does.

    The gradients are those of the whole batch: reduced over replicas, averaged
    over micro-batches, divided by the loss scale, dense. A norm that is not
    finite makes NaN of all that it clips, which is how a rule knows to skip.

    Args:
        settings: The settings.
        gradients: List of tensors, in the working dtypes of their variables.
        scalars: The scalars before the step.
        part: Which variables they are the gradients of.
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
    """Returns what clips each gradient, what is clipped, and the scalars."""
    scope = settings.rule_scope
    count = len(part.positions)
    taus = [math.inf] * count
    if settings.clip_threshold is not None and not settings.clip_per_replica:
        followed = None
        if norms is not None:
            one = settings.clipping == "global"
            followed = norms.of_all if one else norms.of_each
        taus, scalars = taus_of(settings, scalars, followed, numbers, part)
    elif scope == "coordinate":
        return [Unclipped()] * count, None, scalars
    if settings.clipping == "coordinate":
        if scope != "coordinate":
            of_each = [norms.of_all] * count
            if scope == "variable":
                of_each = ops.unstack(norms.of_each, count)
            taus = [
                ops.where(ops.isfinite(norm), tau, math.nan)
                for norm, tau in zip(of_each, taus, strict=True)
            ]
        return [Bound(tau) for tau in taus], None, scalars
    if settings.clipping == "global":
        factor = clipping.clip_factor(norms.of_all, taus[0])
        share = ops.cast(factor < 1, "float32")
        shares = Shares(share, ops.broadcast_to(share, (count,)))
        return [Factor(factor)] * count, shares, scalars
    taus = ops.cast(ops.stack(taus), norms.of_each.dtype)
    factors = clipping.clip_factor(norms.of_each, taus)
    of_each = ops.cast(factors < 1, "float32")
    clips = [Factor(factor) for factor in ops.unstack(factors, count)]
    return clips, Shares(ops.mean(of_each), of_each), scalars


def _advanced(settings, norms, clips, taken, scalars):
    """Returns what the rule shares between variables, and the scalars."""
    if not scalars.shared:
        return (), scalars
    shared, after = settings.rule.advance(
        clips[0].factor * norms.of_all,
        scalars.shared,
        scalars.update_count + 1,
    )
    after = tuple(
        taken.choose(new, old)
        for new, old in zip(after, scalars.shared, strict=True)
    )
    return shared, scalars._replace(shared=after)
