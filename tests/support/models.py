"""A small model in either framework, and steps on it by given gradients."""

import numpy as np

SHAPES = ((3, 4), (4,), (4, 2), (2,))


def dense_model(front_end, optimizer):
    """Returns a compiled model whose variables have the shapes `SHAPES`.

    Its optimizer is built: a step that makes variables is traced twice.
    """
    model = unbuilt_model(front_end, optimizer)
    model.optimizer.build(model.trainable_variables)
    return model


def unbuilt_model(front_end, optimizer):
    """Returns the model of `dense_model`, whose first step builds the rest."""
    framework = front_end.framework
    model = framework.Sequential(
        [
            framework.layers.Input((3,)),
            framework.layers.Dense(4, activation="tanh", name="first"),
            framework.layers.Dense(2, name="second"),
        ],
        name="model",
    )
    model.compile(optimizer=optimizer, loss="mse")
    rng = np.random.default_rng(3)
    model.set_weights([rng.normal(size=shape) for shape in SHAPES])
    return model


def data():
    """Returns inputs and targets for the model."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(32, 3)).astype("float32")
    targets = np.stack([x[:, 0] - x[:, 1], x[:, 2] + 1], axis=1)
    return x, targets


def fit(model, *callbacks, on=None, batch_size=8, **arguments):
    """Trains on inputs and targets in their order, and returns the history."""
    return model.fit(
        *(on or data()),
        batch_size=batch_size,
        shuffle=False,
        verbose=0,
        callbacks=list(callbacks),
        **arguments,
    ).history


def train(front_end, model, gradients):
    """Steps the model's own optimizer by a list of gradients a step."""
    for gradient in gradients:
        front_end.apply(model.optimizer, gradient, model.trainable_variables)


def everything(front_end, model):
    """Returns the model's variables and all of its optimizer's."""
    optimizer = model.optimizer
    return front_end.values(model.variables) + front_end.state(optimizer)
