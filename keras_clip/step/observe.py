"""Updates the counters and the monitoring scalars after a step."""

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
        decision: The decision on the step.
        slots: List of the values of each variable's slots after the step; used
            if `looks_at_coordinates`.
        part: The part of the optimizer's variables that the step moved.
    """
    scalars, taken = decision.scalars, decision.taken
    if decision.measured is not None:
        scalars = scalars._replace(
            gradient_norm=ops.cast(decision.measured.of_all, "float32"),
            gradient_norms=part.fill(
                ops.cast(decision.measured.of_each, "float32")
            ),
        )
    count = scalars.update_count
    scalars = scalars._replace(update_count=taken.choose(count + 1, count))
    scalars = _with_skipped(settings, decision, scalars)
    scalars = _with_missed(settings, decision, scalars, part)
    shares = decision.shares
    if looks_at_coordinates(settings, decision):
        shares = _clipped_shares(settings, decision, slots, scalars, part)
    return _with_shares(shares, taken, scalars, part)


def looks_at_coordinates(settings: Settings, decision: Decision) -> bool:
    """Returns whether the clipped coordinates have to be counted.

    Args:
        settings: The settings.
        decision: The decision on the step.
    """
    return settings.monitor and decision.shares is None


def _with_skipped(settings, decision, scalars):
    """Returns the scalars, with the step counted if it skipped anything."""
    taken = decision.taken
    skips_parts = settings.skips and settings.nonfinite_scope != "step"
    if settings.skips and settings.rule_scope == "variable":
        taken = Where(ops.isfinite(decision.norms.of_all))
    elif skips_parts and settings.monitor:
        taken = Where(_all_finite(decision))
    if not isinstance(taken, Where):
        return scalars
    steps = scalars.skipped_steps
    skipped = ops.cast(ops.logical_not(taken.condition), steps.dtype)
    return scalars._replace(
        skipped_steps=steps + skipped,
        skipped_in_a_row=skipped * (scalars.skipped_in_a_row + 1),
    )


def _with_missed(settings, decision, scalars, part):
    """Returns the scalars, with this update counted where it was missed."""
    before = scalars.missed_updates
    if before is None:
        return scalars
    may_skip = settings.skips and settings.nonfinite_scope == "variable"
    if part.is_all and not may_skip:
        return scalars
    missed = ops.zeros((len(part.positions),), before.dtype)
    if may_skip:
        skipped = ops.logical_not(ops.isfinite(decision.norms.of_each))
        missed = ops.cast(skipped, before.dtype)
    missed = part.fill(missed, elsewhere=1)
    missed = decision.taken.choose(missed, ops.zeros_like(missed))
    return scalars._replace(missed_updates=before + missed)


def _with_shares(shares, taken, scalars, part):
    """Returns the scalars with the step's clipped shares, and their sum."""
    if shares is None:
        return scalars
    # Kahan summation.
    none = ops.zeros_like(shares.of_all)
    share = taken.choose(shares.of_all, none) - scalars.clip_total_error
    total = scalars.clip_total + share
    return scalars._replace(
        clip_fraction=shares.of_all,
        clip_fractions=part.fill(shares.of_each),
        clip_total=total,
        clip_total_error=total - scalars.clip_total - share,
    )


def _clipped_shares(settings, decision, slots, scalars, part):
    """Returns the shares of the coordinates that the step clipped."""
    numbers = [scalars.update_count] * len(part.positions)
    if scalars.missed_updates is not None:
        numbers = scalars.update_count - part.entries(scalars.missed_updates)
        numbers = ops.unstack(numbers, len(part.positions))
    clipped = []
    # A gradient may have some rows alone.
    sizes = [part.sizes[position] for position in part.positions if part.sizes]
    if not sizes:
        sizes = [math.prod(g.shape) for g in decision.gradients]
    for gradient, clip, state, number in zip(
        decision.gradients, decision.clips, slots, numbers, strict=True
    ):
        where = settings.rule.clipped(
            gradient,
            cast(clip, gradient.dtype),
            tuple(state),
            ops.cast(number, gradient.dtype),
        )
        clipped.append(ops.sum(ops.cast(where, "float32")))
    shares = [
        count / max(size, 1) for count, size in zip(clipped, sizes, strict=True)
    ]
    return Shares(sum(clipped) / max(sum(sizes), 1), ops.stack(shares))


def _all_finite(decision):
    """Returns whether all coordinates of the clipped gradients are finite."""
    finite = [
        ops.all(is_finite(cast(clip, gradient.dtype).apply(gradient)))
        for gradient, clip in zip(
            decision.gradients, decision.clips, strict=True
        )
    ]
    return ops.all(ops.stack(finite))
