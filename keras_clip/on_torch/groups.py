"""Updates tensors on torch by a rule, in few calls.

A large tensor is updated alone. Small ones are updated together, as one long
vector: a call costs as much as the update of some thousand elements.
"""

import itertools
from collections.abc import Sequence

import torch

from keras_clip.on_torch.compiled import run_compiled
from keras_clip.on_torch.program import program_of
from keras_clip.rules.rule import Rule
from keras_clip.step.updates import Update
from keras_clip.step.updates import groups_of

# Numbers of elements; measured in scripts/benchmarks/results/cpu/sizes.md.
SMALLEST_ALONE = 32768
# Copies of the small tensors should stay in the caches until they are copied
# back.
LARGEST_GROUP = 262144
# A process takes seconds to load the compiler. Below this many elements of all
# tensors together, thousands of steps do not make up for them.
SMALLEST_COMPILED_TOTAL = 524288
# For each thread. What one operation of a rule writes, the next one reads: it
# should find it in the cache of its core. torch gives a second thread work from
# 32,768 elements on (aten/src/ATen/Parallel.h, torch 2.13.0).
CHUNK = 65536


def update_tensors(
    rule: Rule,
    jit_compile: bool | str,
    weight_decays: Sequence[float],
    updates: Sequence[Update],
    learning_rate: torch.Tensor,
    shared: Sequence[torch.Tensor],
) -> None:
    """Updates tensors and their slots by one step, in place.

    Args:
        rule: The rule.
        jit_compile: `True`, `False`, or `"auto"`: compile if the tensors have
            at least 524,288 elements together.
        weight_decays: Python float for each of the updates.
        updates: The updates.
        learning_rate: Scalar tensor.
        shared: Tuple of scalar tensors.
    """
    sizes_of_all = [update.variable.numel() for update in updates]
    # `torch.compile` makes other functions for vectors of 0 or 1 element.
    smallest_compiled = 2
    if jit_compile == "auto":
        smallest_compiled = SMALLEST_ALONE
        jit_compile = sum(sizes_of_all) >= SMALLEST_COMPILED_TOTAL
    buffers = {}
    for places in groups_of(
        updates, sizes_of_all, weight_decays, SMALLEST_ALONE, LARGEST_GROUP
    ):
        group = [updates[place] for place in places]
        sizes = [sizes_of_all[place] for place in places]
        columns = _columns(group)
        gradients = [update.gradient for update in group]
        *values, gradient = (
            _as_vector(tensors, sizes, buffers, place)
            for place, tensors in enumerate([*columns, gradients])
        )
        inputs = [
            gradient,
            learning_rate,
            _numbers_of(group, sizes),
            *_clip_of(group, sizes),
            *shared,
        ]
        program = program_of(
            rule,
            weight_decays[places[0]],
            type(group[0].clip),
            tuple(value.dtype for value in values),
            tuple(value.dtype for value in inputs),
            values[0].device,
        )
        compiles = jit_compile and sum(sizes) >= smallest_compiled
        if not (compiles and run_compiled(program, [*values, *inputs])):
            for chunk in _chunks([*values, *inputs]):
                program(*chunk)
        for column, value in zip(columns, values, strict=True):
            _write_back(column, value, sizes)


def _columns(group):
    """Returns lists of the tensors, and of their slots with one name."""
    columns = zip(
        *((update.variable, *update.slots) for update in group), strict=True
    )
    return [*map(list, columns)]


def _as_vector(tensors, sizes, buffers, place):
    """Returns tensors as one vector: a copy, in a buffer, if they are several.

    The next group is copied to the same buffers, of which there is one for each
    place among the vectors. New memory would cost more than the copies do.
    """
    if len(tensors) == 1:
        return tensors[0].reshape(-1)
    dtype, device = tensors[0].dtype, tensors[0].device
    key = (place, dtype, device)
    if key not in buffers:
        buffers[key] = torch.empty(LARGEST_GROUP, dtype=dtype, device=device)
    return torch.cat(
        [t if t.ndim == 1 else t.reshape(-1) for t in tensors],
        out=buffers[key][: sum(sizes)],
    )


def _write_back(tensors, vector, sizes):
    """Copies a vector to the tensors, unless it is the memory of the only one.

    It is not if that one is not contiguous.
    """
    if len(tensors) == 1 and tensors[0].is_contiguous():
        return
    pieces = zip(tensors, vector.split(sizes), strict=True)
    torch._foreach_copy_(
        tensors,
        [p if t.ndim == 1 else p.view(t.shape) for t, p in pieces],
    )


def _numbers_of(group, sizes):
    """Returns the number of the update, or that of each coordinate.

    The numbers are mostly equal. Only on a CPU can that be looked at without
    waiting for it.
    """
    first, *others = [update.number for update in group]
    if all(number is first for number in others):
        return first
    if first.device.type == "cpu" and all(map(first.equal, others)):
        return first
    return _for_each_element([first, *others], sizes)


def _clip_of(group, sizes):
    """Returns the clips' numbers, scalars or for each coordinate."""
    result = []
    for values in zip(*(update.clip for update in group), strict=True):
        first = values[0]
        if any(value.ndim for value in values):
            values = [
                value.broadcast_to(update.variable.shape).reshape(-1)
                for value, update in zip(values, group, strict=True)
            ]
            result.append(torch.cat(values))
        elif all(value is first for value in values):
            result.append(first)
        else:
            result.append(_for_each_element(values, sizes))
    return result


def _for_each_element(values, sizes):
    """Returns a vector that repeats each scalar by its tensor's size."""
    return torch.cat(
        [value.expand(size) for value, size in zip(values, sizes, strict=True)]
    )


def _chunks(tensors):
    """Returns the vectors in chunks that caches hold, with all scalars."""
    length = tensors[0].numel()
    if tensors[0].device.type == "cpu":
        length = min(length, CHUNK * torch.get_num_threads())
    return zip(
        *(
            tensor.split(length) if tensor.ndim else itertools.repeat(tensor)
            for tensor in tensors
        ),
        strict=False,
    )
