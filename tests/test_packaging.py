"""The package as `pip` installs it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import keras_clip

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
# One step of the optimizer where there is no TensorFlow. Keras needs some
# backend, and even that on NumPy needs scipy besides (keras 3.15.1).
PROGRAM = """
import sys
import keras
import keras_clip
x = keras.Variable([1.0, 2.0])
optimizer = keras_clip.ACClip(0.1, step_scaling="threshold", weight_decay=None)
optimizer.apply([keras.ops.convert_to_tensor([1e3, -0.5])], [x])
print(keras_clip.__version__, keras.ops.convert_to_numpy(x).round(3))
assert "tensorflow" not in sys.modules
assert "site-packages" in keras_clip.__file__
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel built from a copy of the files that git knows."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [
            *(sys.executable, "-m", "build", "--wheel", "--outdir"),
            *(str(folder), str(source)),
        ],
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_every_module_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    modules = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "keras_clip").rglob("*.py")
    }
    assert {name for name in names if ".dist-info/" not in name} == modules


def test_the_wheel_names_the_version_and_the_extras(wheel):
    archive = zipfile.ZipFile(wheel)
    (name,) = (n for n in archive.namelist() if n.endswith("/METADATA"))
    metadata = archive.read(name).decode()
    assert f"\nVersion: {keras_clip.__version__}\n" in metadata
    for extra in (
        "tensorflow",
        "model-garden",
        "jax",
        "torch",
        "plots",
        "noise",
        "test",
    ):
        assert f"\nProvides-Extra: {extra}\n" in metadata
    required = {
        line.split()[1]
        for line in metadata.splitlines()
        if line.startswith("Requires-Dist") and "extra ==" not in line
    }
    assert {name.split(">")[0] for name in required} == {"keras", "numpy"}


def test_the_wheel_works_in_an_empty_environment(wheel, tmp_path):
    python = tmp_path / "venv" / "bin" / "python"
    run = {"check": True, "capture_output": True, "text": True}
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], **run)
    subprocess.run(
        # What is imported is compiled then.
        [python, "-m", "pip", "install", "-q", "--no-compile", f"{wheel}[jax]"],
        **run,
    )
    printed = subprocess.run(
        [python, "-c", PROGRAM],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        cwd=tmp_path,
        **run,
    ).stdout
    # The first step is lr · m / τ at most, that is lr, in each coordinate.
    assert printed.strip() == f"{keras_clip.__version__} [0.9 2.1]"
