"""Quiets TensorFlow before anything imports it, and orders the tests."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Before NumPy is imported. Tests run in as many processes as there are cores:
# threads of theirs would wait for each other, which takes three times as long.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

LONGEST = ("tests/scripts/", "tests/colab/", "tests/model_garden/")


def pytest_collection_modifyitems(items):
    """Puts what takes longest first, so that two processes end together."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
