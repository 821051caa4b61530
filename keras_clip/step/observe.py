"""Notes in the scalars how a step went, once it is taken."""

import math
from collections.abc import Sequence

from keras import ops

from keras_clip.rules.clips import cast
from keras_clip.rules.nonfinite import Where
from keras_clip.rules.nonfinite import is_finite
from keras_clip.step.decide import Decision
from keras_clip.step.decide import Shares
from keras_clip.step.part import Part
from keras_clip.step.scalars import Scalars
from keras_clip.step.settings import Settings


def observe(
    settings: Settings,
    decision: Decision,
    slots: Sequence[Sequence],
    part: Part,
) -> Scalars:
    """Returns the scalars after a step.

    Args:
        settings: The settings.
        decision: What the step did.
        slots: List of the values of each variable's slots after the step; read
            if `looks_at_coordinates`.
        part: Which variables the step was given.
    """
    scalars, taken = decision.scalars, decision.taken
    if decision.measured is not None:
        scalars = scalars._replace(
            gradient_norm=ops.cast(decision.measured.of_all, "float32"),
            gradient_norms=part.fill(
                ops.cast(decision.measured.of_each, "float32")
            ),
        )
    one = ops.ones((), scalars.update_count.dtype)
    scalars = scalars._replace(
        update_count=scalars.update_count
        + taken.choose(one, ops.zeros_like(one))
    )
    scalars = _with_skipped(settings, decision, scalars)
    scalars = _with_missed(settings, decision, scalars, part)
    shares = decision.shares
    if looks_at_coordinates(settings, decision):
        shares = _clipped_shares(settings, decision, slots, scalars, part)
    return _with_shares(shares, taken, scalars, part)


def looks_at_coordinates(settings: Settings, decision: Decision) -> bool:
    """Returns whether the coordinates that were clipped are to be counted.

    Args:
        settings: The settings.
        decision: What the step did.
    """
    return settings.monitor and decision.shares is None


def _with_skipped(settings, decision, scalars):
    """Returns scalars in which a step with a bad gradient is counted."""
    good = decision.taken
    if settings.skips and settings.rule_scope == "variable":
        good = Where(ops.isfinite(decision.norms.of_all))
    elif (
        settings.skips
        and settings.nonfinite_scope != "step"
        and settings.monitor
    ):
        good = Where(_all_finite(decision))
    if not isinstance(good, Where):
        return scalars
    steps = scalars.skipped_steps
    skipped = ops.cast(ops.logical_not(good.condition), steps.dtype)
    return scalars._replace(
        skipped_steps=steps + skipped,
        skipped_in_a_row=skipped * (scalars.skipped_in_a_row + 1),
    )


def _with_missed(settings, decision, scalars, part):
    """Returns scalars in which those who miss this update have it counted."""
    before = scalars.missed_updates
    if before is None:
        return scalars
    may_skip = settings.skips and settings.nonfinite_scope == "variable"
    if part.is_all and not may_skip:
        return scalars
    missed = ops.zeros((len(part.positions),), before.dtype)
    if may_skip:
        bad = ops.logical_not(ops.isfinite(decision.norms.of_each))
        missed = ops.cast(bad, before.dtype)
    missed = part.fill(missed, elsewhere=1)
    missed = decision.taken.choose(missed, ops.zeros_like(missed))
    return scalars._replace(missed_updates=before + missed)


def _with_shares(shares, taken, scalars, part):
    """Returns scalars with what this step clipped, summed up as well."""
    if shares is None:
        return scalars
    # Kahan's summation.
    share = taken.choose(shares.of_all, 0.0) - scalars.clip_total_error
    total = scalars.clip_total + share
    return scalars._replace(
        clip_fraction=shares.of_all,
        clip_fractions=part.fill(shares.of_each),
        clip_total=total,
        clip_total_error=total - scalars.clip_total - share,
    )


def _clipped_shares(settings, decision, slots, scalars, part):
    """Returns the share of the coordinates that were clipped."""
    numbers = [scalars.update_count] * len(part.positions)
    if scalars.missed_updates is not None:
        numbers = scalars.update_count - part.entries(scalars.missed_updates)
        numbers = ops.unstack(numbers, len(part.positions))
    counts, sizes = [], []
    for gradient, clip, state, number in zip(
        decision.gradients, decision.clips, slots, numbers, strict=True
    ):
        where = settings.rule.clipped(
            gradient,
            cast(clip, gradient.dtype),
            tuple(state),
            ops.cast(number, gradient.dtype),
        )
        counts.append(ops.sum(ops.cast(where, "float32")))
        sizes.append(math.prod(gradient.shape))
    shares = [
        count / max(size, 1) for count, size in zip(counts, sizes, strict=True)
    ]
    return Shares(sum(counts) / max(sum(sizes), 1), ops.stack(shares))


def _all_finite(decision):
    """Returns whether no coordinate of the clipped gradients is bad."""
    finite = [
        ops.all(is_finite(cast(clip, gradient.dtype).apply(gradient)))
        for gradient, clip in zip(
            decision.gradients, decision.clips, strict=True
        )
    ]
    return ops.all(ops.stack(finite))
