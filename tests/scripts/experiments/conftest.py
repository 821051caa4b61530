"""Runs the functions of TensorFlow as Python, for these models are tiny."""

import pytest
import tensorflow as tf


@pytest.fixture(scope="module", autouse=True)
def functions_run_eagerly():
    """Spares the graphs, which take longer than the few steps here."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
