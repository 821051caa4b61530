"""Norms on torch are as exact as elsewhere, of anything that has one."""

import keras
import numpy as np
import pytest
import torch

from keras_clip import clipping


def test_norm_of_millions_of_elements_is_exact_to_a_few_ulp():
    """A sum of all squares in one pass is off by a thousandth."""
    g = np.random.default_rng(0).normal(3e-3, 1e-2, 4_000_001).astype("float32")
    expected = np.linalg.norm(g.astype("float64"))
    norm = float(clipping.global_norm([torch.tensor(g)]))
    np.testing.assert_allclose(norm, expected, rtol=5e-7)


@pytest.mark.parametrize("make", [np.asarray, keras.Variable, torch.tensor])
def test_norm_is_that_of_arrays_variables_and_tensors(make):
    gradients = [make(np.full(3, 2.0, "float32")), make(np.float32([[1, 1]]))]
    norms = clipping.norms(gradients).detach().numpy()
    np.testing.assert_allclose(norms, np.sqrt([12.0, 2.0]), rtol=1e-6)
