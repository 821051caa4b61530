"""Clips gradients as Keras does, and on each replica if that is asked for."""

from collections.abc import Sequence

from keras import ops

from keras_clip import clipping
from keras_clip.step.current_threshold import taus_of
from keras_clip.step.gradient_norms import Norms
from keras_clip.step.part import Part
from keras_clip.step.scalars import Scalars
from keras_clip.step.settings import Settings


def clipped_as_by_keras(
    settings: Settings, gradients: Sequence, norms: Norms | None = None
) -> Sequence:
    """Returns gradients after `clipnorm`, `clipvalue` or `global_clipnorm`.

    Args:
        settings: The settings.
        gradients: List of tensors.
        norms: Their norms, computed here if `None`. Defaults to `None`.

    Returns:
        List of tensors; `gradients` itself if Keras would clip nothing.
    """
    if settings.global_clipnorm:
        norm = (
            clipping.global_norm(gradients) if norms is None else norms.of_all
        )
        threshold = settings.global_clipnorm
        return [clipping.clip_by_norm(g, threshold, norm) for g in gradients]
    if settings.clipnorm:
        of_each = clipping.norms(gradients) if norms is None else norms.of_each
        return [
            clipping.clip_by_norm(g, settings.clipnorm, norm)
            for g, norm in zip(
                gradients, ops.unstack(of_each, len(gradients)), strict=True
            )
        ]
    if settings.clipvalue:
        return [
            clipping.clip_by_value(g, settings.clipvalue) for g in gradients
        ]
    return gradients


def clipped_on_replica(
    settings: Settings, gradients: Sequence, scalars: Scalars, part: Part
) -> Sequence:
    """Returns the clipped gradients of one replica, for `clip_per_replica`.

    Args:
        settings: The settings.
        gradients: List of dense tensors.
        scalars: The optimizer's scalars before the step.
        part: The part of the optimizer's variables that has these gradients.
    """
    gradients = [ops.cast(g, clipping.working_dtype_of(g)) for g in gradients]
    gradients = clipped_as_by_keras(settings, gradients)
    if settings.clip_threshold is None:
        return gradients
    taus, _ = taus_of(settings, scalars, None, None, part)
    if settings.clipping == "coordinate":
        return [
            clipping.clip_by_value(g, ops.cast(tau, g.dtype))
            for g, tau in zip(gradients, taus, strict=True)
        ]
    norm = None
    if settings.clipping == "global":
        norm = clipping.global_norm(gradients)
    return [
        clipping.clip_by_norm(g, tau, norm)
        for g, tau in zip(gradients, taus, strict=True)
    ]
