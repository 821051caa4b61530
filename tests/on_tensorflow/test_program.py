"""A rule as a graph of operations does what the rule does."""

import dataclasses

import numpy as np
import tensorflow as tf
from keras import ops

from keras_clip.on_tensorflow.program import inputs_of
from keras_clip.on_tensorflow.program import program_of
from keras_clip.rules.clips import UNCLIPPED
from keras_clip.rules.clips import Unclipped
from keras_clip.rules.gclip import GClipRule
from keras_clip.rules.rule import Rule
from keras_clip.step import Settings
from keras_clip.step import start
from keras_clip.step import take


@dataclasses.dataclass(frozen=True, kw_only=True)
class Comparing(Rule):
    """Moves by 1 where the gradient is 0, by 2 where it is 3, else by 4."""

    def step(self, u, before, after, learning_rate, k, shared):
        return ops.where(u == 0, 1.0, ops.where(u != 3, 4.0, 2.0))


def test_a_rule_may_compare_with_operators():
    """Of tensors in a `tf.Graph`, they would compare identities."""

    @tf.function(jit_compile=True)
    def moved(x, g):
        dtypes = ("float32", "float32", "int32")
        program, constants = program_of(
            Comparing(), 0.0, ("float32",), dtypes, Unclipped
        )
        given = inputs_of(g, tf.constant(1.0), tf.constant(1), UNCLIPPED, ())
        return program([x], [*given, *constants])

    (x,) = moved(tf.zeros(3), tf.constant([0.0, 3.0, 5.0]))
    np.testing.assert_array_equal(x, [-1.0, -2.0, -4.0])


def test_pure_step_takes_values_of_an_unknown_length():
    settings = Settings(GClipRule(), clip_threshold=1.0)
    state = start(settings, [tf.ones(3)])

    @tf.function(input_signature=[tf.TensorSpec([None])] * 2)
    def moved(x, g):
        return take(settings, [x], state, [g], 0.1)[0]

    (x,) = moved(tf.ones(3), tf.ones(3))
    np.testing.assert_allclose(x, 1 - 0.1 / np.sqrt(3), rtol=1e-6)
