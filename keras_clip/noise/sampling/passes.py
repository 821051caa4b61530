"""Makes the two passes of sampling: the full gradient, then the noise."""

import dataclasses
import itertools
import math

import keras
import numpy as np
from keras import ops

from keras_clip import clipping
from keras_clip.noise.optional_packages import warn_without_scipy
from keras_clip.noise.sampling.batches import is_finite
from keras_clip.noise.sampling.batches import size_of
from keras_clip.noise.sampling.gradients import Gradients
from keras_clip.noise.sampling.loss_scale import LossScale
from keras_clip.noise.sampling.noise_samples import NoiseSamples
from keras_clip.noise.sampling.sampling_options import SamplingOptions

# Noise below this share of the gradient is due to rounding in float32.
_ROUNDING = 1e-5


def sample_gradients(
    gradients: Gradients, batches, options: SamplingOptions
) -> NoiseSamples:
    """Samples the noise of gradients as a function of a batch.

    Args:
        gradients: The gradients.
        batches: Batches, as `batches.batches_of` returns them.
        options: The options.

    Returns:
        Samples.

    Raises:
        ValueError: If there is nothing to train, no batch, no finite gradient,
            or no noise.
    """
    warn_without_scipy(stacklevel=3)
    number, verbose = options.full_gradient_batches, options.verbose
    covers_data = not batches.endless and number is None
    if batches.endless:
        # The samples follow the batches of the mean.
        number = number or options.num_samples
        second = batches.all()
        first = itertools.islice(second, number)
    elif number is None:
        number = batches.num_batches
        first, second = batches.all(), batches.random()
    else:
        first, second = batches.random(), batches.random()
        first = itertools.islice(first, number)
    head = next(first, None)
    if head is None:
        raise ValueError("`x` must give at least one batch. Received: none")
    gradients.build(head)
    size = len(gradients.shapes)
    if not size:
        raise ValueError(
            "`model` must have trainable variables. Received: a model with none"
        )
    first = itertools.chain([head], first)
    loss_scale = LossScale(gradients.loss_scale)
    with gradients.unchanged():
        full = _full_gradient(gradients, loss_scale, first, number, verbose)
        directions = _directions(
            gradients.shapes, options.num_projections, options.seed
        )
        rows, num_partial, num_censored = _noise(
            *(gradients, loss_scale, second, full, directions),
            *(options.num_samples, verbose),
        )
    finite = np.all(np.isfinite(rows), axis=1)
    rows, num_nonfinite = rows[finite], int(np.sum(~finite))
    layer_gradients, layer_noise = rows[:, :size], rows[:, size : 2 * size]
    gradient_norms = np.linalg.norm(layer_gradients, axis=1)
    noise_norms = np.linalg.norm(layer_noise, axis=1)
    _check_noise(noise_norms, gradient_norms, num_nonfinite, full)
    return NoiseSamples(
        noise_norms=noise_norms,
        gradient_norms=gradient_norms,
        projections=rows[:, 2 * size :],
        full_gradient_norm=full.norm,
        full_gradient_batches=full.num_batches,
        covers_data=covers_data,
        loss=full.loss,
        batch_size=full.batch_size,
        training=options.training,
        is_random=full.is_random,
        is_batch_dependent=options.training and gradients.is_batch_dependent,
        num_requested=options.num_samples,
        num_nonfinite=num_nonfinite,
        num_censored=num_censored,
        full_gradient_nonfinite=full.num_nonfinite,
        num_partial=num_partial,
        seed=options.seed,
        framework=gradients.framework,
        paths=tuple(gradients.paths),
        layer_noise_norms=layer_noise if options.per_layer else None,
        layer_gradient_norms=layer_gradients if options.per_layer else None,
    )


@dataclasses.dataclass(frozen=True)
class _FullGradient:
    mean: list
    state: list
    norm: float
    loss: float
    num_batches: int
    num_nonfinite: int
    batch_size: int
    is_random: bool


def _full_gradient(gradients, loss_scale, batches, number, verbose):
    """Returns the mean gradient of batches, weighted by their sizes."""

    def add(scale, parameters, state, total, batch, weight):
        loss, gradient, state = gradients(parameters, state, batch, scale)
        norm = clipping.global_norm(gradient)
        total = [
            ops.where(ops.isfinite(norm), t + ops.cast(weight, g.dtype) * g, t)
            for t, g in zip(total, gradient, strict=True)
        ]
        return norm, loss, total, state

    add = gradients.compiled(add)
    parameters, state = gradients.parameters, gradients.state
    total = [
        ops.zeros(shape, dtype)
        for shape, dtype in zip(gradients.shapes, gradients.dtypes, strict=True)
    ]
    progress = _Progress("Full gradient", number, verbose)
    losses, weights, finites, is_random = [], [], [], False
    for index, batch in enumerate(batches):
        weight = np.float32(size_of(batch))
        before = total
        norm, loss, total, state = loss_scale.measured(
            add, parameters, state, before, batch, weight
        )
        if index == 0:
            _, again, _, state = loss_scale.measured(
                add, parameters, state, before, batch, weight
            )
            is_random = not np.isclose(
                float(loss), float(again), rtol=1e-5, equal_nan=True
            )
        losses.append(float(loss))
        finites.append(math.isfinite(norm))
        weights.append(float(weight))
        progress.update(index + 1)
    progress.end()
    if not any(finites):
        raise ValueError(
            "`x` must give a batch with a finite gradient. Received: "
            f"{len(finites)} batches, none with one"
        )
    weights = np.multiply(weights, finites)
    mean = [t / ops.cast(np.sum(weights), t.dtype) for t in total]
    return _FullGradient(
        mean=mean,
        state=state,
        norm=float(clipping.global_norm(mean)),
        loss=float(np.average(np.where(finites, losses, 0.0), weights=weights)),
        num_batches=int(np.sum(finites)),
        num_nonfinite=len(finites) - int(np.sum(finites)),
        batch_size=int(np.max(weights)),
        is_random=is_random,
    )


def _noise(
    gradients, loss_scale, batches, full, directions, num_samples, verbose
):
    """Returns a row of norms and projections for each full batch.

    It also returns the number of smaller batches, and the number of batches
    with finite data whose gradient is not finite.
    """

    def measure(scale, parameters, state, mean, directions, batch):
        _, gradient, state = gradients(parameters, state, batch, scale)
        noise = [g - m for g, m in zip(gradient, mean, strict=True)]
        dtype = clipping.widest_dtype_of(gradient)
        row = [clipping.norms(gradient, dtype), clipping.norms(noise, dtype)]
        if directions:
            row.append(
                sum(
                    ops.cast(ops.matmul(v, ops.reshape(n, (-1,))), dtype)
                    for v, n in zip(directions, noise, strict=True)
                )
            )
        row = ops.concatenate(row)
        norm = ops.where(
            ops.all(ops.isfinite(row)), clipping.global_norm(gradient), math.inf
        )
        return norm, row, state

    measure = gradients.compiled(measure)
    parameters, state = gradients.parameters, full.state
    progress = _Progress("Noise samples", num_samples, verbose)
    rows, num_partial, num_censored = [], 0, 0
    # The loop must also end for a data set of only smaller batches.
    for batch in itertools.islice(batches, 2 * num_samples + 100):
        if size_of(batch) != full.batch_size:
            num_partial += 1
            continue
        norm, row, state = loss_scale.measured(
            measure, parameters, state, full.mean, directions, batch
        )
        rows.append(ops.convert_to_numpy(row).astype("float64"))
        num_censored += not math.isfinite(norm) and is_finite(batch)
        progress.update(len(rows))
        if len(rows) == num_samples:
            break
    progress.end()
    if not rows:
        raise ValueError(
            "`x` must give mini-batches after those of the full gradient. "
            f"Received: {num_partial} smaller ones and no full one"
        )
    return np.stack(rows), num_partial, num_censored


def _directions(shapes, number, seed):
    """Returns random unit vectors over all variables, as rows for each."""
    if not number:
        return []
    # A different stream from the one that chooses the mini-batches.
    rng = np.random.default_rng([seed, 1])
    parts = [
        rng.standard_normal((number, int(np.prod(shape))), "float32")
        for shape in shapes
    ]
    squares = sum(np.sum(np.square(part, dtype="float64"), 1) for part in parts)
    scale = (1.0 / np.sqrt(squares))[:, None].astype("float32")
    return [ops.convert_to_tensor(part * scale) for part in parts]


def _check_noise(noise_norms, gradient_norms, num_nonfinite, full):
    if not len(noise_norms):
        raise ValueError(
            "`x` must give a mini-batch with a finite gradient. Received: "
            f"{num_nonfinite} mini-batches, none with one"
        )
    largest = max(np.max(gradient_norms), full.norm)
    if np.max(noise_norms) <= _ROUNDING * largest:
        raise ValueError(
            "`x` must give mini-batches whose gradients differ, for there is "
            "no noise otherwise; is `batch_size` smaller than the data? "
            f"Received: a largest noise norm of {np.max(noise_norms):.3g} for "
            f"gradients of norm {largest:.3g}, batch_size={full.batch_size}"
        )


class _Progress:
    """Shows Keras' progress bar under a title, or nothing."""

    def __init__(self, title, target, verbose):
        self._bar, self._number = None, 0
        if verbose:
            print(title)
            self._bar = keras.utils.Progbar(target, unit_name="batch")

    def update(self, number):
        self._number = number
        if self._bar:
            self._bar.update(number)

    def end(self):
        """Finishes a bar whose end is unknown or not reached."""
        if self._bar and self._number != self._bar.target:
            self._bar.update(self._number, finalize=True)
