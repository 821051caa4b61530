"""In float16 a task's gradients are taken at a scale, as in a run."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras
from official.core import base_task

from keras_clip.noise.sampling.batches import DatasetBatches
from keras_clip.noise.sampling.passes import sample_gradients
from keras_clip.noise.sampling.sampling_options import SamplingOptions
from keras_clip.noise.sampling.task_gradients import TaskGradients
from tests.support.front_ends import TF_KERAS
from tests.support.noise_problems import batches_of
from tests.support.noise_problems import data
from tests.support.noise_problems import gradient
from tests.support.noise_problems import linear_model
from tests.support.noise_problems import norm

pytestmark = pytest.mark.slow


class _Task(base_task.Task):
    """Linear regression by the trainer's own step."""

    def __init__(self, size=1.0):
        super().__init__(params=None)
        self._size = size

    def build_inputs(self, params, input_context=None):
        raise NotImplementedError

    def build_losses(self, labels, model_outputs, aux_losses=None):
        error = tf.cast(model_outputs, "float32") - labels
        return self._size * tf.reduce_mean(tf.square(error))


class _Recording(tf_keras.optimizers.SGD):
    """Keeps the gradients that a loss scale optimizer hands on."""

    def apply_gradients(self, grads_and_vars, **_):
        self.received = [np.array(g) for g, _ in grads_and_vars]


def _model(policy):
    return linear_model(TF_KERAS, compiled=False, policy=policy)


def _sample(task, batches):
    return sample_gradients(
        TaskGradients(task, _model("mixed_float16")),
        DatasetBatches(batches),
        SamplingOptions(len(batches), num_projections=0, verbose=0),
    )


@pytest.mark.parametrize("size", [1e-8, 1e4])
def test_neither_small_nor_large_gradients_are_lost(size):
    """Without a scale the small ones would be 0, at a run's first infinite."""
    batches = batches_of(*data(80))
    samples = _sample(_Task(size), batches)
    assert len(samples) == 10 and not samples.caveats
    expected = [size * norm(gradient(*batch)) for batch in batches]
    np.testing.assert_allclose(samples.gradient_norms, expected, rtol=0.02)


def test_the_scale_is_that_of_a_run_in_float16_alone():
    for policy, expected in (
        ("float32", 1.0),
        ("mixed_bfloat16", 1.0),
        ("mixed_float16", 2.0**15),
    ):
        gradients = TaskGradients(_Task(), _model(policy))
        assert gradients.loss_scale == expected


def test_gradients_are_those_that_a_loss_scale_optimizer_hands_on():
    x, y = data(8)
    task, model = _Task(), _model("mixed_float16")
    recording = _Recording()
    batch = tf.constant(x), tf.constant(y)
    task.train_step(batch, model, TF_KERAS.scaled(recording, 256.0))
    _, actual, _ = TaskGradients(task, model)([], [], batch, 256.0)
    for value, expected in zip(actual, recording.received, strict=True):
        np.testing.assert_array_equal(value, expected)
