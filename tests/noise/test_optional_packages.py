"""Without SciPy or matplotlib the package says so, and does so early."""

import sys
import warnings

import numpy as np
import pytest

from keras_clip import noise
from keras_clip.noise.__main__ import main
from keras_clip.noise.optional_packages import check_reporting
from tests.support.front_ends import KERAS
from tests.support.front_ends import both_front_ends
from tests.support.noise_problems import data
from tests.support.noise_problems import linear_model
from tests.support.noise_problems import sample
from tests.support.programs.launch import run_module

NORMS = np.arange(1.0, 101.0)


def hide(monkeypatch, *packages):
    """Makes packages seem not to be installed."""
    for package in packages:
        names = [n for n in sys.modules if n.startswith(f"{package}.")]
        for name in (package, *names):
            monkeypatch.setitem(sys.modules, name, None)
        if package == "matplotlib":
            monkeypatch.setitem(sys.modules, "matplotlib.figure", None)


@pytest.mark.parametrize(
    "call",
    [
        lambda: noise.hill(NORMS),
        lambda: noise.hill_curve(NORMS),
        lambda: noise.log_moment(NORMS - 50.5),
        lambda: noise.kurtosis(NORMS),
        lambda: noise.quartile_ratios(NORMS),
        lambda: noise.fit_squared_gaussians(NORMS),
        lambda: noise.fit_squared_stables(NORMS),
        lambda: noise.SquaredSum(2.0, 1.0, 1.0, 9, 0.0, 0.0).density(NORMS),
    ],
)
def test_missing_scipy_is_named_with_what_to_install(monkeypatch, call):
    hide(monkeypatch, "scipy")
    with pytest.raises(ImportError) as error:
        call()
    assert str(error.value) == (
        "`keras_clip.noise` needs SciPy for its estimates. Install it with "
        "`pip install scipy`."
    )


def test_variance_curve_needs_no_scipy(monkeypatch):
    hide(monkeypatch, "scipy")
    assert len(noise.variance_curve(NORMS).variance)


@both_front_ends
def test_sampling_without_scipy_warns_at_once_and_samples(
    front_end, monkeypatch
):
    hide(monkeypatch, "scipy")
    model = linear_model(front_end)
    with pytest.warns(UserWarning, match="will need SciPy") as caught:
        samples = noise.sample(model, *data(), num_samples=9, verbose=0)
    assert len(samples) == 9
    assert "`pip install scipy`" in str(caught[0].message)
    assert caught[0].filename == __file__
    # It comes before what takes long, not after.
    with pytest.warns(UserWarning, match="will need SciPy"):
        with pytest.raises(ValueError, match="at least one batch"):
            sample(model, iter([]))


def test_sampling_with_scipy_does_not_warn_of_it():
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="A report of these samples")
        sample(linear_model(KERAS), *data(), num_samples=9)


def test_all_that_is_missing_is_named_at_once(monkeypatch):
    check_reporting(plots=True)
    hide(monkeypatch, "scipy", "matplotlib")
    with pytest.raises(ImportError) as error:
        check_reporting(plots=True)
    for package in ("scipy", "matplotlib"):
        assert f"`pip install {package}`" in str(error.value)
    with pytest.raises(ImportError) as error:
        check_reporting(plots=False)
    assert "matplotlib" not in str(error.value)


@pytest.mark.parametrize("package", ["scipy", "matplotlib", "tensorflow"])
def test_the_command_says_so_before_it_loads_a_model(
    package, monkeypatch, capsys, tmp_path
):
    hide(monkeypatch, package)
    with pytest.raises(SystemExit) as error:
        # TensorFlow reads a directory.
        main(["there-is-no-such.keras", str(tmp_path)])
    (message,) = capsys.readouterr().err.splitlines()
    assert error.value.code == 2
    assert f"`pip install {package}`" in message


@pytest.mark.slow
def test_without_scipy_and_matplotlib_the_rest_imports():
    printed = run_module(
        "tests.support.programs.without_extras", backend="tensorflow"
    )
    assert printed == "imported\n"
