"""Fits a law to the same norms once: a fit takes seconds."""

import numpy as np
import pytest

from keras_clip.noise.reports import noise_report


def _remembered(fit):
    fits = {}

    def remembered(norms):
        key = np.asarray(norms).tobytes()
        if key not in fits:
            fits[key] = fit(norms)
        return fits[key]

    return remembered


@pytest.fixture(scope="session", autouse=True)
def fits_are_remembered():
    with pytest.MonkeyPatch.context() as patch:
        for name in ("fit_squared_gaussians", "fit_squared_stables"):
            fit = getattr(noise_report, name)
            patch.setattr(noise_report, name, _remembered(fit))
        yield
