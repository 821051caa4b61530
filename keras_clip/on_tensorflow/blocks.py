"""Walks through a large variable by blocks that stay in the caches of a core.

XLA makes one loop over all elements for each result of a rule, and none of them
vectorized where the result is written in place (tensorflow 2.20.0, CPU). By
blocks the later loops read what the first has brought from memory, and what
they write is small and vectorized. What that saves is measured in
scripts/benchmarks/results/cpu/sizes.md.
"""

import math
from collections.abc import Callable
from collections.abc import Sequence

# Elements. A rule holds up to nine arrays of a block, of 4 bytes an element, in
# a core's second cache; in smaller blocks the turns cost more than the caches
# give.
LARGEST_BLOCK = 12288
SMALLEST_BLOCK = 4096


def block_of(shape: Sequence[int]) -> tuple[int, ...] | None:
    """Returns the shape of the blocks of a variable.

    Args:
        shape: Shape of the variable.

    Returns:
        Tuple of divisors of `shape`: ones, one divisor, then whole axes, so
        that a block is one piece of memory. `None` where no such block is of
        the right size.
    """
    axis, rest = len(shape), 1
    while axis and rest * shape[axis - 1] <= LARGEST_BLOCK:
        axis -= 1
        rest *= shape[axis]
    if not axis:
        return None
    axis -= 1
    rows = max(
        rows
        for rows in range(1, LARGEST_BLOCK // rest + 1)
        if shape[axis] % rows == 0
    )
    if rows * rest < SMALLEST_BLOCK:
        return None
    return (*(1 for _ in shape[:axis]), rows, *shape[axis + 1 :])


def walk(
    update: Callable, block: Sequence[int], values: Sequence, inputs: Sequence
) -> list:
    """Returns what an elementwise update makes of whole values, under XLA.

    Each turn writes what the turn before it made: were a block written in the
    turn that reads it, XLA would copy whole values to keep the two apart.

    Args:
        update: Callable of a block of `values` and of `inputs`, two lists. It
            returns a list of new values of the block.
        block: What `block_of` returns for the shape of `values`.
        values: Tensors of one shape.
        inputs: Tensors that broadcast to that shape.

    Returns:
        List of tensors like `values`.
    """
    import tensorflow as tf

    # The ops with a start that changes at run time are not in `tf.raw_ops`.
    from tensorflow.compiler.tf2xla.python import xla

    counts = [
        size // length
        for size, length in zip(values[0].shape, block, strict=True)
    ]
    turns = math.prod(counts)

    def beginning(turn):
        result = []
        for count, length in reversed([*zip(counts, block, strict=True)]):
            if count == 1:
                result.insert(0, 0)
            else:
                result.insert(0, turn % count * length)
                turn = turn // count
        return result

    def blocks(tensors, begin):
        return [_block(tensor, begin, block) for tensor in tensors]

    def written(values, made, begin):
        return [
            xla.dynamic_update_slice(value, part, begin)
            for value, part in zip(values, made, strict=True)
        ]

    def take_turn(turn, values, made):
        # The first turn writes its own block unchanged.
        values = written(values, made, beginning(tf.maximum(turn - 1, 0)))
        begin = beginning(turn)
        made = update(blocks(values, begin), blocks(inputs, begin))
        return turn + 1, values, made

    _, values, made = tf.while_loop(
        lambda turn, *_: turn < turns,
        take_turn,
        (tf.constant(0), list(values), blocks(values, beginning(0))),
    )
    return written(values, made, beginning(turns - 1))


def _block(tensor, begin, block):
    from tensorflow.compiler.tf2xla.python import xla

    rank = tensor.shape.rank
    if not rank:
        return tensor
    axes = zip(tensor.shape, begin[-rank:], block[-rank:], strict=True)
    begin, block = zip(
        *((0, 1) if size == 1 else (a, b) for size, a, b in axes), strict=True
    )
    return xla.dynamic_slice(tensor, begin, block)
