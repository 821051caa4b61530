"""Traces a model's training step again."""

import contextlib
import functools
import weakref

import keras

# By model, the train function that is traced with monitoring.
_MONITORED = weakref.WeakKeyDictionary()


def remake_train_function(model):
    """Replaces a model's train function, so that its steps are traced again.

    Every trainer has made the function by `on_train_begin`, and looks it up for
    each step (keras/src/backend/*/trainer.py, 3.15.1,
    tf_keras/src/engine/training.py, 2.20.1). It is replaced only once.

    Args:
        model: Model of Keras 3 or of tf_keras.
    """
    known = _MONITORED.get(model, lambda: None)()
    function = getattr(model, "train_function", None)
    if function is None or function is known:
        return
    model.train_function = None
    with _another_train_step(model):
        # tf_keras returns it, Keras 3 does not.
        made = model.make_train_function()
    model.train_function = made or model.train_function
    _MONITORED[model] = weakref.ref(model.train_function)


@contextlib.contextmanager
def _another_train_step(model):
    """Gives the model a `train_step` that JAX has not traced yet.

    `jax.jit` takes the method for the one that it has traced, as long as
    anything refers to that, such as the traceback of an interrupted training
    (jax 0.10.2).
    """
    if keras.backend.backend() != "jax":
        yield
        return
    attributes = vars(model)
    before = attributes.get("train_step")
    attributes["train_step"] = functools.partial(model.train_step)
    try:
        yield
    finally:
        del attributes["train_step"]
        if before is not None:
            attributes["train_step"] = before
