"""Models that are saved, loaded and trained further."""

from tests.support.models import dense_model
from tests.support.models import everything
from tests.support.models import train
from tests.support.trajectories import same_bits


def model_for_h5(front_end, name, arguments):
    """Returns a model whose loss Keras 3 loads from H5; "mse" it does not."""
    optimizer = front_end.optimizer(name, **arguments)
    model = dense_model(front_end, optimizer)
    loss = front_end.framework.losses.MeanSquaredError()
    model.compile(optimizer=optimizer, loss=loss)
    return model


def store_of(optimizer):
    """Returns what an optimizer writes to a file."""
    store = {}
    optimizer.save_own_variables(store)
    return store


def through_keras_file(front_end, saved, make, folder):
    """Returns a model as loaded from a `.keras` file."""
    saved.save(folder / "model.keras")
    return front_end.framework.models.load_model(folder / "model.keras")


def through_weights_file(front_end, saved, make, folder):
    """Returns what `make` makes, with the weights from a `.weights.h5` file."""
    saved.save_weights(folder / "model.weights.h5")
    loaded = make()
    loaded.optimizer.build(loaded.trainable_variables)
    loaded.load_weights(folder / "model.weights.h5")
    return loaded


def assert_go_on_alike(front_end, model, loaded, gradients):
    """Compares two models in everything after more steps."""
    for each in (model, loaded):
        train(front_end, each, gradients)
    assert same_bits(
        everything(front_end, loaded), everything(front_end, model)
    )
