"""Quiets TensorFlow before anything imports it; computes float64 elsewhere.

Keras keeps float64 to TensorFlow, as JAX does by default
(keras/src/backend/common/dtypes.py, 3.15.1). NumPy warns of divisions whose
result no step takes.
"""

import os
import sys

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Before NumPy is imported. Tests run in as many processes as there are cores:
# threads of theirs would wait for each other, which takes three times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

BACKEND = os.environ.get("KERAS_BACKEND")

if BACKEND in ("numpy", "torch"):
    import numpy as np
    from keras.src.backend.common import dtypes

    dtypes.BIT64_TO_BIT32_DTYPE["float64"] = "float64"
    np.seterr(all="ignore")

# About graphs, XLA and tf_keras.
OF_TENSORFLOW = (
    "optimizers/test_compilation.py",
    "optimizers/test_compiled_updates.py",
    "optimizers/test_signatures.py",
)
collect_ignore = OF_TENSORFLOW if BACKEND == "torch" else ("on_torch",)

LONGEST = ("tests/scripts/", "tests/colab/", "tests/model_garden/")


def pytest_collection_modifyitems(config, items):
    """Puts what takes longest first, so that two processes end together.

    On torch there is no tf_keras.
    """
    if BACKEND == "torch":
        left = [item for item in items if _is_of_tf_keras(item)]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if not _is_of_tf_keras(item)]
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def _is_of_tf_keras(item):
    params = getattr(getattr(item, "callspec", None), "params", {})
    return getattr(params.get("front_end"), "name", None) == "tf_keras"


def pytest_collection_finish():
    """Iterates over data sets on TensorFlow without tuning them.

    The thread that tunes an iterator is not always woken when that is deleted,
    which then waits for up to a minute (tensorflow 2.20.0).
    """
    if "tensorflow" not in sys.modules:
        return
    import tensorflow as tf

    iterate = tf.data.Dataset.__iter__

    def iterate_untuned(dataset):
        options = tf.data.Options()
        options.autotune.enabled = False
        return iterate(dataset.with_options(options))

    tf.data.Dataset.__iter__ = iterate_untuned


@pytest.fixture
def functions_run_eagerly():
    """Runs each `tf.function` as Python: a few steps cost less than a trace."""
    if BACKEND == "torch":
        yield
        return
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
