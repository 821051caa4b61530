"""Imports SciPy and matplotlib, which only this subpackage needs."""

import importlib
import warnings
from types import ModuleType


def import_scipy(module: str) -> ModuleType:
    """Returns a module of SciPy.

    Args:
        module: Its name within SciPy, such as `"special"`.

    Returns:
        The module.

    Raises:
        ImportError: If SciPy is not installed.
    """
    try:
        return importlib.import_module(f"scipy.{module}")
    except ImportError as error:
        raise ImportError(
            "`keras_clip.noise` needs SciPy for its estimates. Install it with "
            "`pip install scipy`."
        ) from error


def import_figure() -> type:
    """Returns `matplotlib.figure.Figure`.

    Without pyplot no window is opened, and no figure has to be closed.

    Raises:
        ImportError: If matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "`keras_clip.noise` needs matplotlib for its plots. Install it "
            "with `pip install matplotlib`."
        ) from error
    return Figure


def check_reporting(plots: bool):
    """Raises if packages for a report are missing, before sampling.

    Args:
        plots: Whether the report is drawn too.

    Raises:
        ImportError: If packages are not installed; it names all of them.
    """
    reasons = []
    for needed, load in ((True, _import_special), (plots, import_figure)):
        try:
            if needed:
                load()
        except ImportError as error:
            reasons.append(str(error))
    if reasons:
        raise ImportError(" ".join(reasons))


def warn_without_scipy(stacklevel: int):
    """Warns that samples can be taken, but no report of them can be made.

    Args:
        stacklevel: Int, as for `warnings.warn`, counted from the caller.
    """
    try:
        _import_special()
    except ImportError:
        warnings.warn(
            "A report of these samples will need SciPy; sampling them does "
            "not. Install it with `pip install scipy`.",
            stacklevel=stacklevel + 1,
        )


def _import_special():
    return import_scipy("special")
