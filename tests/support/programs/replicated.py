"""Training on replicas by given gradients or by `fit`, and what it leaves.

One process has one `MirroredStrategy`: many of them in one process give
spurious errors of collectives (tensorflow 2.20.0).
"""

import contextlib

import numpy as np
import tensorflow as tf

from tests.support.front_ends import KERAS
from tests.support.front_ends import TF_KERAS
from tests.support.gradients import heavy_tailed_gradients
from tests.support.gradients import parameters

STEPS = 4

# A clip that always binds, on norms that differ between the replicas.
CLIP = {"learning_rate": 0.125, "global_clipnorm": 0.25, "monitor": True}
AVERAGES = {
    "use_ema": True,
    "ema_momentum": 0.5,
    "ema_overwrite_frequency": 2,
}


def two_replicas():
    """Returns the one strategy of a process, on two logical CPUs."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(
        cpu, [tf.config.LogicalDeviceConfiguration()] * 2
    )
    return tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])


def opposing_gradients(steps=STEPS):
    """Returns, for each step, the list of gradients of each replica.

    They point in opposite ways, so that their sum is shorter than either.
    """
    return [
        (
            first,
            [0.25 * b - 0.75 * a for a, b in zip(first, other, strict=True)],
        )
        for first, other in zip(
            heavy_tailed_gradients(steps=steps, seed=1),
            heavy_tailed_gradients(steps=steps, seed=2),
            strict=True,
        )
    ]


def spoiled(step, replica):
    """Returns a step with one coordinate NaN on one replica."""
    step = [[g.copy() for g in gradients] for gradients in step]
    step[replica][0][1, 1] = np.nan
    return step


class Loop:
    """A custom training loop by given gradients, with or without a strategy.

    Args:
        front_end: A front end.
        strategy: `None` for one replica, which takes the sum of the gradients.
        make: Makes the optimizer.
        in_a_graph: Whether the steps run in a `tf.function`.
    """

    def __init__(self, front_end, strategy, make, in_a_graph=False):
        self.front_end = front_end
        self.strategy = strategy or tf.distribute.get_strategy()
        with self.strategy.scope():
            self.optimizer = make()
            self.model = front_end.variables(parameters())
            self.optimizer.build(self.model)
        self.run = tf.function(self._run) if in_a_graph else self._run

    def step(self, replicas):
        """Takes a step by a list of gradients for each replica."""
        pairs = [np.float32(pair) for pair in zip(*replicas, strict=True)]
        if self.strategy.num_replicas_in_sync == 1:
            pairs = [(first + second,) for first, second in pairs]
        self.run([self._distributed(pair) for pair in pairs])

    def result(self):
        """Returns everything there is, once for every replica."""
        return copies(self.front_end, self.strategy, self.model, self.optimizer)

    def _run(self, gradients):
        self.strategy.run(self._apply, args=(gradients,))

    def _apply(self, gradients):
        if hasattr(self.optimizer, "inner_optimizer"):
            gradients = SCALED[self.front_end](self.optimizer, gradients)
        self.front_end.apply(self.optimizer, gradients, self.model)

    def _distributed(self, values):
        return self.strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(
                values[context.replica_id_in_sync_group]
            )
        )


# How the gradients of a scaled loss come to a `LossScaleOptimizer`.
SCALED = {
    KERAS: lambda optimizer, gradients: [
        optimizer.scale_loss(g) for g in gradients
    ],
    TF_KERAS: lambda optimizer, gradients: optimizer.get_unscaled_gradients(
        [optimizer.get_scaled_loss(g) for g in gradients]
    ),
}


def copies(front_end, strategy, model, optimizer):
    """Returns a dict from variables' names to values for each local replica."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    variables = [*model, *inner.variables]
    names = []
    for variable in variables:
        # tf_keras puts the optimizer's name before some.
        name = variable.name.split(":")[0].removeprefix(f"{inner.name}/")
        names.append(name + "'" * names.count(name))
    values = [
        strategy.experimental_local_results(front_end.native(variable))
        for variable in variables
    ]
    return [
        {name: x.numpy() for name, x in zip(names, replica, strict=True)}
        for replica in zip(*values, strict=True)
    ]


def looped(front_end, strategy, make, steps, in_a_graph=False):
    """Returns the copies after a custom loop."""
    loop = Loop(front_end, strategy, make, in_a_graph and strategy is not None)
    with _run_eagerly_if(strategy is None):
        for step in steps:
            loop.step(step)
    return loop.result()


@contextlib.contextmanager
def _run_eagerly_if(alone):
    """Runs what replicas are compared with op by op: no graph is traced."""
    tf.config.run_functions_eagerly(alone)
    yield
    tf.config.run_functions_eagerly(False)


def embedding_model(front_end, optimizer, run_eagerly=False):
    """Returns a compiled model for `tokens_and_targets`."""
    layers = front_end.framework.layers
    model = front_end.framework.Sequential(
        [
            layers.Input((4,), dtype="int32"),
            layers.Embedding(6, 3, name="embedding"),
            layers.Flatten(),
            layers.Dense(2, name="dense"),
        ],
        name="model",
    )
    model.compile(optimizer=optimizer, loss="mse", run_eagerly=run_eagerly)
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


def tokens_and_targets():
    """Returns inputs and targets for `embedding_model`.

    A batch has many more tokens than the embedding has rows: all replicas meet
    every row, and more than once. Their gradients differ in sign and size.
    """
    rng = np.random.default_rng(4)
    tokens = rng.integers(0, 6, (96, 4)).astype("int32")
    targets = rng.normal(size=(96, 2)).astype("float32")
    targets[::16] *= -8
    return tokens, targets


def fitted(front_end, strategy, make, batch_size=16):
    """Returns the copies after `fit`, on one replica without a graph."""
    alone = strategy is None
    strategy = strategy or tf.distribute.get_strategy()
    with strategy.scope():
        optimizer = make()
        model = embedding_model(front_end, optimizer, run_eagerly=alone)
    fit = {"batch_size": batch_size, "shuffle": False, "verbose": 0}
    with _run_eagerly_if(alone):
        model.fit(*tokens_and_targets(), **fit)
    return copies(front_end, strategy, model.trainable_variables, optimizer)


def maker(front_end, name, arguments, scaled=False):
    """Returns a function that makes an optimizer, in a loss scale if asked."""

    def make():
        optimizer = front_end.optimizer(name, **arguments)
        if not scaled:
            return optimizer
        return front_end.framework.mixed_precision.LossScaleOptimizer(
            optimizer, initial_scale=2.0**10, dynamic_growth_steps=2
        )

    return make


def by_kind(one, two):
    """Returns copies by kind: on one replica, and on each of two."""
    (alone,), (first, second) = one, two
    return {"one": alone, "first": first, "second": second}


def on_one_and_two(strategy, train, front_end, make, *arguments):
    """Returns copies by kind: `train` on one replica and on two."""
    return by_kind(
        train(front_end, None, make, *arguments),
        train(front_end, strategy, make, *arguments),
    )
