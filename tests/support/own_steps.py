"""Models with a `train_step` of their own, by optimizers of their own."""

import keras

from tests.support.models import dense_model


def model_with_own_step(front_end, own, optimizer="rmsprop"):
    """Returns the model of `dense_model`, which trains by another optimizer.

    Args:
        front_end: Front end.
        own: The optimizer that `train_step` uses.
        optimizer: The optimizer that the model is compiled with.
    """
    if front_end.name == "tf_keras":
        backend = "tensorflow"
    else:
        backend = keras.backend.backend()
    make = {"tensorflow": _by_tape, "jax": _stateless, "torch": _by_backward}
    return remade(front_end, make[backend](front_end, own), optimizer)


def model_of_two_optimizers(front_end, first, second):
    """Returns a model on TensorFlow with an optimizer for each of its layers.

    The second one steps at every other step, the first of them included.
    """
    import tensorflow as tf

    class TwoOptimizers(front_end.framework.Sequential):
        def train_step(self, data):
            loss, tape = _loss_by_tape(self, data)
            first_layer, second_layer = self.layers
            both = first_layer.trainable_weights, second_layer.trainable_weights
            gradients = tape.gradient(loss, both)
            front_end.apply(first, gradients[0], both[0])
            if self.number % 2 == 0:
                front_end.apply(second, gradients[1], both[1])
            self.number += 1
            return {"loss": tf.reduce_mean(loss)}

    model = remade(front_end, TwoOptimizers, "rmsprop", run_eagerly=True)
    model.number = 0
    return model


def remade(front_end, model_class, optimizer, **arguments):
    """Returns the model of `dense_model` as one of another class."""
    like = dense_model(front_end, "sgd")
    inputs = front_end.framework.layers.Input((3,))
    model = model_class([inputs, *like.layers], name="model")
    model.compile(optimizer=optimizer, loss="mse", **arguments)
    return model


def _loss_by_tape(model, data):
    import tensorflow as tf

    x, targets = data
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_mean(tf.square(model(x, training=True) - targets))
    return loss, tape


def _by_tape(front_end, own):
    class OwnStep(front_end.framework.Sequential):
        def train_step(self, data):
            loss, tape = _loss_by_tape(self, data)
            variables = self.trainable_variables
            front_end.apply(own, tape.gradient(loss, variables), variables)
            return {"loss": loss}

    return OwnStep


def _stateless(front_end, own):
    import jax

    class OwnStep(front_end.framework.Sequential):
        def train_step(self, state, data):
            trainable, own_state, *rest = state
            x, targets = data

            def loss_of(values):
                predictions, _ = self.stateless_call(values, own_state, x)
                return keras.ops.mean(keras.ops.square(predictions - targets))

            loss, gradients = jax.value_and_grad(loss_of)(trainable)
            trainable, own_state = own.stateless_apply(
                own_state, gradients, trainable
            )
            return {"loss": loss}, (trainable, own_state, *rest)

        def compile(self, **arguments):
            super().compile(**arguments)
            own.build(self.trainable_variables)
            # Keras tracks them with the model's own state.
            self.own_state = list(own.variables)

    return OwnStep


def _by_backward(front_end, own):
    import torch

    class OwnStep(front_end.framework.Sequential):
        def train_step(self, data):
            x, targets = data
            self.zero_grad()
            loss = keras.ops.mean(keras.ops.square(self(x) - targets))
            loss.backward()
            variables = self.trainable_variables
            gradients = [variable.value.grad for variable in variables]
            with torch.no_grad():
                own.apply(gradients, variables)
            return {"loss": loss}

    return OwnStep
