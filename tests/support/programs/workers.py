"""Trains two kinds of optimizers on two workers, and on one for comparison.

tf_keras trains by `fit`. That of Keras 3 fails with several workers for every
optimizer (keras 3.15.1): there `train_step` runs in a loop.
"""

import os

import tensorflow as tf

from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.programs.replicated import CLIP
from tests.support.programs.replicated import copies
from tests.support.programs.replicated import embedding_model
from tests.support.programs.replicated import fitted
from tests.support.programs.replicated import maker
from tests.support.programs.replicated import tokens_and_targets
from tests.support.shared_code import KINDS

BATCH_SIZE = 16
STEPS = 6
MICRO_BATCHES = 2


def share_of(context):
    """Returns the batches of one worker: every other example is another's."""
    dataset = tf.data.Dataset.from_tensor_slices(tokens_and_targets())
    dataset = dataset.shard(
        context.num_input_pipelines, context.input_pipeline_id
    )
    assert STEPS * BATCH_SIZE == 2 * len(dataset)
    return dataset.batch(BATCH_SIZE // context.num_input_pipelines)


def fit(model, batches):
    """Trains as tf_keras does."""
    model.fit(batches, steps_per_epoch=STEPS, verbose=0)


def train_in_a_loop(model, batches):
    """Trains by the `train_step` that `fit` of Keras 3 would run."""
    strategy = model.distribute_strategy
    with strategy.scope():
        model.optimizer.build(model.trainable_variables)

    @tf.function
    def step(batch):
        strategy.run(model.train_step, args=(batch,))

    for batch in batches:
        step(batch)


def trained(front_end, strategy, make, train):
    """Returns the copies on this worker after training on all of them."""
    with strategy.scope():
        optimizer = make()
        model = embedding_model(front_end, optimizer)
    train(model, strategy.distribute_datasets_from_function(share_of))
    (here,) = copies(front_end, strategy, model.trainable_variables, optimizer)
    return here


def main(config):
    """Returns copies by optimizer and front end, by kind.

    They are those of this worker, `"here"`, and on the first worker also those
    of training without a strategy, `"one"`.

    Args:
        config: What is to be in the environment as `TF_CONFIG`.
    """
    os.environ["TF_CONFIG"] = config
    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    accumulation = {"gradient_accumulation_steps": MICRO_BATCHES}
    result = {}
    for name in KINDS:
        for front_end, train, micro_batches, more in (
            (TF_KERAS, fit, 1, {}),
            (KERAS, train_in_a_loop, MICRO_BATCHES, accumulation),
        ):
            make = maker(front_end, name, {**CLIP, **more})
            kinds = {"here": trained(front_end, strategy, make, train)}
            if strategy.cluster_resolver.task_id == 0:
                make = maker(front_end, name, CLIP)
                size = BATCH_SIZE * micro_batches
                (kinds["one"],) = fitted(front_end, None, make, size)
            result[name, front_end.name] = kinds
    return result
