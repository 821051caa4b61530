"""Quiets TensorFlow before anything imports it, and orders the tests."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

LONGEST = ("tests/scripts/", "tests/colab/", "tests/model_garden/")


def pytest_collection_modifyitems(items):
    """Puts what takes longest first, so that two processes end together."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))
