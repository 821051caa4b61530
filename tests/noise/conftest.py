"""Leaves out what takes seconds: to fit stable laws to the norms."""

import pytest

from keras_clip.noise.reports import noise_report


@pytest.fixture
def stables_are_not_fitted(monkeypatch):
    """Makes reports do with Gaussians, where no claim is about their fits."""
    gaussians = noise_report.fit_squared_gaussians
    monkeypatch.setattr(noise_report, "fit_squared_stables", gaussians)
