"""Lets the steps of both front ends run op by op, as those of Keras 3 do."""

from tests.optimizers.conftest import functions_run_eagerly  # noqa: F401
