"""Updates a large variable in blocks that fit into the caches of a core.

XLA makes one loop over all elements for each result of a rule, and does not
vectorize it if the result is written in place (tensorflow 2.20.0, CPU). In
blocks, later loops find in the caches what the first one has read from memory,
and their small results are vectorized. The time saved is measured in
scripts/benchmarks/results/cpu/sizes.md.
"""

import math
from collections.abc import Callable
from collections.abc import Sequence

# Numbers of elements. A rule keeps up to nine arrays of a block, with 4 bytes
# per element, in the L2 cache of a core. In smaller blocks the overhead of the
# loop is larger than the gain.
LARGEST_BLOCK = 12288
SMALLEST_BLOCK = 4096


def block_of(shape: Sequence[int]) -> tuple[int, ...] | None:
    """Returns the shape of the blocks of a variable.

    Args:
        shape: Shape of the variable.

    Returns:
        Tuple of divisors of `shape`: ones, one divisor, then full axes, so that
        a block is contiguous in memory. `None` if no such block has the right
        size.
    """
    if not math.prod(shape):
        return None
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
    """Applies an elementwise update to values block by block, under XLA.

    Each turn of the loop writes the block that the turn before computed. If a
    block were written in the turn that reads it, XLA would copy all values.

    Args:
        update: Callable of two lists, a block of each of `values` and of
            `inputs`. It returns a list of new values of the block.
        block: Shape of a block, as `block_of` returns it.
        values: Tensors of one shape.
        inputs: Tensors that broadcast to that shape.

    Returns:
        List of tensors like `values`.
    """
    import tensorflow as tf

    # `tf.raw_ops` lacks the slicing ops whose start is a tensor.
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
