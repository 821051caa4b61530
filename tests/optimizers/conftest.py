"""Steps eagerly where a claim is not about graphs: tracing costs the most."""

import pytest
import tensorflow as tf


@pytest.fixture
def functions_run_eagerly():
    """Runs what is compiled or made a graph op by op."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
