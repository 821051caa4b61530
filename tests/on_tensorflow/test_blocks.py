"""Walking through a variable by blocks."""

import math

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st

from keras_clip.on_tensorflow.blocks import LARGEST_BLOCK
from keras_clip.on_tensorflow.blocks import SMALLEST_BLOCK
from keras_clip.on_tensorflow.blocks import block_of
from keras_clip.on_tensorflow.blocks import walk


@hypothesis.given(st.lists(st.integers(1, 3000), min_size=1, max_size=4))
def test_block_is_one_piece_of_memory_that_tiles_the_variable(shape):
    block = block_of(shape)
    if block is None:
        return
    assert SMALLEST_BLOCK <= math.prod(block) <= LARGEST_BLOCK
    assert all(n % length == 0 for n, length in zip(shape, block, strict=True))
    whole = len(shape)
    while whole and block[whole - 1] == shape[whole - 1]:
        whole -= 1
    assert all(length == 1 for length in block[: max(whole - 1, 0)])


@pytest.mark.parametrize(
    ("shape", "block"),
    [
        ((30522, 768), (6, 768)),
        ((768, 768), (16, 768)),
        ((3072, 768), (16, 768)),
        ((768, 3072), (4, 3072)),
        ((768, 12, 64), (16, 12, 64)),
        ((12, 64, 768), (1, 16, 768)),
        ((65536,), (8192,)),
    ],
)
def test_block_is_the_largest_that_is_not_too_large(shape, block):
    assert block_of(shape) == block


@pytest.mark.parametrize(
    "shape",
    [
        (65537,),  # a prime
        (101, 20011),  # two primes: a row is too large, an element too small
        (5, 5),
        (0, 100000),
        (),
    ],
)
def test_variables_that_do_not_fall_into_blocks_are_not_walked(shape):
    assert block_of(shape) is None


@pytest.mark.parametrize(
    "shape", [(40000,), (200, 200), (2, 30, 1000), (3, 2, 14, 700), (96, 1280)]
)
def test_walk_is_the_update_of_whole_values(shape):
    rng = np.random.default_rng(0)

    def integers(shape):
        return tf.constant(rng.integers(-9, 9, shape).astype("float32"))

    def update(values, inputs):
        (a, b), (g, row, column, scalar) = values, inputs
        return [a * g + b - row, b * column + scalar * a]

    values = [integers(shape), integers(shape)]
    inputs = [
        integers(shape),
        integers(shape[-1:]),
        integers((shape[0], *(1 for _ in shape[1:]))),
        integers(()),
    ]
    block = block_of(shape)

    @tf.function(jit_compile=True)
    def walked(values, inputs):
        return walk(update, block, values, inputs)

    for value, expected in zip(
        walked(values, inputs), update(values, inputs), strict=True
    ):
        np.testing.assert_array_equal(value, expected)
