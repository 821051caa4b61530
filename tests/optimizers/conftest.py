"""Lets steps run op by op where no claim is about graphs."""

import pytest


@pytest.fixture
def functions_run_eagerly():
    """Runs each `tf.function` as Python: a few steps cost less than a trace."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
