"""The first cells of the notebooks: what is installed, and on which device."""

import contextlib
import fnmatch
import importlib
import importlib.machinery
import importlib.metadata
import os
import re
import sys
import types
from pathlib import Path

import pytest

from tests.support.notebooks import FOLDER
from tests.support.notebooks import NAMES
from tests.support.notebooks import code_cells
from tests.support.notebooks import stored

pytestmark = pytest.mark.slow

every_notebook = pytest.mark.parametrize("name", NAMES)


def installed(name, monkeypatch, repository=""):
    """Returns the commands of a notebook's first cell, without the package.

    The last word of an installation is replaced by what is in its folder.
    """
    commands = []

    def run(command, check=False):
        words = [str(word) for word in command]
        if words[0] == "git":
            (Path(words[-1]) / "keras_clip").mkdir(parents=True)
            (Path(words[-1]) / "keras_clip/version.py").touch()
            (Path(words[-1]) / "setup.cfg").touch()
        else:
            folder, _, extras = words.pop().partition("[")
            assert extras.endswith("]")
            words.append({path.name for path in Path(folder).iterdir()})
        commands.append(words)

    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    monkeypatch.setattr("subprocess.run", run)
    cell = code_cells(stored(name))[0].source
    assert 'REPOSITORY = ""' in cell
    exec(cell.replace('""', repr(repository), 1), {})
    return commands


@every_notebook
def test_a_notebook_installs_a_copy_of_the_clone_that_it_is_in(
    name, monkeypatch
):
    monkeypatch.chdir(FOLDER)
    (command,) = installed(name, monkeypatch)
    assert {"keras_clip", "setup.cfg", "README.md"} <= command[-1]
    assert not {".git", "runs", "build"} & command[-1]


@every_notebook
def test_a_notebook_installs_a_repository_of_any_kind(
    name, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (command,) = installed(name, monkeypatch, str(FOLDER.parent))
    assert "setup.cfg" in command[-1]
    clone, command = installed(name, monkeypatch, "https://a.b/c.git")
    assert clone[:2] == ["git", "clone"] and "https://a.b/c.git" in clone
    assert command[-1] == {"keras_clip", "setup.cfg"}
    (command,) = installed(name, monkeypatch, "https://a.b/c.git")
    assert command[-1] == {"keras_clip", "setup.cfg"}
    # A clone of another address is not taken for one of this, nor is a part.
    Path("clone_of_https_a_b_d_git/.git").mkdir(parents=True)
    clone, _ = installed(name, monkeypatch, "https://a.b/d.git")
    assert "https://a.b/d.git" in clone


@every_notebook
def test_a_repository_that_cannot_be_written_is_installed(
    name, tmp_path, monkeypatch
):
    source = tmp_path / "source"
    for file in ("keras_clip/version.py", "setup.cfg"):
        (source / file).parent.mkdir(parents=True, exist_ok=True)
        (source / file).touch(0o444)
    (source / "data").symlink_to("nowhere")
    for folder in (source / "keras_clip", source):
        folder.chmod(0o555)
    modes = []

    def run(command, check):
        folder = Path(str(command[-1]).partition("[")[0])
        modes.extend(p.stat().st_mode for p in (folder, *folder.rglob("*")))

    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    monkeypatch.setattr("subprocess.run", run)
    cell = code_cells(stored(name))[0].source
    exec(cell.replace('""', repr(str(source)), 1), {})
    assert len(modes) == 4 and all(mode & 0o200 for mode in modes)


@every_notebook
def test_a_folder_of_that_name_beside_the_notebook_is_not_the_package(
    name, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "keras_clip").mkdir()
    specs = {"keras": types.SimpleNamespace(origin="there")}
    nothing = types.SimpleNamespace(origin=None)
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: specs.get(name, nothing)
    )
    with pytest.raises(SystemExit, match="^REPOSITORY must be"):
        exec(code_cells(stored(name))[0].source, {})


@every_notebook
@pytest.mark.parametrize("repository", ["", "nowhere"])
@pytest.mark.parametrize("is_there", [False, True])
def test_without_a_repository_the_first_cell_says_what_to_do(
    name, repository, is_there, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("subprocess.run", lambda *a, **k: None)
    found = types.SimpleNamespace(origin="there") if is_there else None
    monkeypatch.setattr("importlib.util.find_spec", lambda package: found)
    cell = code_cells(stored(name))[0].source
    cell = cell.replace('""', repr(repository), 1)
    if is_there and not repository:
        exec(cell, {})
        return
    with pytest.raises(SystemExit, match="^REPOSITORY must be .*Received: "):
        exec(cell, {})


def test_all_notebooks_install_in_the_same_way():
    cells = [code_cells(stored(name))[0].source for name in NAMES]
    assert len({re.sub("EXTRAS = .*", "", cell) for cell in cells}) == 1


def test_both_notebooks_for_a_tpu_find_the_device_in_the_same_way():
    pair = [name for name in NAMES if name.endswith("_tpu")]
    cells = [code_cells(stored(name))[1].source for name in pair]
    assert len(pair) == 2
    assert len({*cells}) == 1


@pytest.mark.parametrize("name", [n for n in NAMES if n.endswith("_tpu")])
def test_on_a_tpu_the_scripts_have_it_and_its_build_of_tensorflow(
    name, monkeypatch
):
    # What it imports starts processes of its own.
    importlib.import_module("keras_clip")
    devices = ["/dev/accel0"]
    monkeypatch.setattr("glob.glob", lambda p: fnmatch.filter(devices, p))
    monkeypatch.setenv("TPU_LOAD_LIBRARY", "1")
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    installed, environments = [], []

    class Started(contextlib.nullcontext):
        returncode = 0
        stdout = ("a line of progress\n", '{"f1": 50.0}\n')

        def __init__(self, command, env, **options):
            super().__init__(self)
            environments.append(env)

    monkeypatch.setattr(
        "subprocess.run", lambda command, check: installed.extend(command)
    )
    monkeypatch.setattr("subprocess.Popen", Started)
    scope = {}
    for cell in code_cells(stored(name))[:2]:
        exec(cell.source, scope)
    version = importlib.metadata.version("tensorflow")
    assert f"tensorflow-tpu=={version}" in installed
    assert "distribution_strategy=tpu" in scope["RUNTIME"]
    assert os.environ["TPU_LOAD_LIBRARY"] == "0"
    assert scope["script"]("evaluate_squad") == {"f1": 50.0}
    assert "TPU_LOAD_LIBRARY" not in environments[0]


@pytest.mark.parametrize("name", [n for n in NAMES if n.endswith("_tpu")])
@pytest.mark.parametrize(
    ("devices", "vendor", "expected"),
    [
        (["/dev/accel", "/dev/accel/accel0"], "0x8086", "CPU"),
        (["/dev/nvidia0", "/dev/nvidia1", "/dev/vfio/1"], "0x1ae0", "GPU"),
        (["/dev/accel0", "/dev/accel1"], "0x1ae0", "TPU"),
        (["/dev/vfio/0", "/dev/vfio/vfio"], "0x1ae0", "TPU"),
        (["/dev/vfio/17", "/dev/vfio/vfio"], "0x10de", "CPU"),
    ],
)
def test_the_device_is_told_by_its_file(
    name, devices, vendor, expected, tmp_path, monkeypatch
):
    (tmp_path / "vendor").write_text(f"{vendor}\n")

    def find(pattern):
        if pattern == "/sys/bus/pci/devices/*/vendor":
            return [str(tmp_path / "vendor")]
        return fnmatch.filter(devices, pattern)

    monkeypatch.setattr("glob.glob", find)
    monkeypatch.setattr("subprocess.run", lambda command, check: None)
    monkeypatch.setenv("TPU_LOAD_LIBRARY", "0")
    scope = {}
    for cell in code_cells(stored(name))[:2]:
        exec(cell.source, scope)
    assert scope["DEVICE"] == expected
    if expected == "GPU":
        assert scope["RUNTIME"].endswith("num_gpus=2")


@pytest.mark.parametrize("name", [n for n in NAMES if not n.endswith("_tpu")])
def test_keras_runs_without_jax_and_without_a_list_of_devices(
    name, monkeypatch, capsys
):
    def broken():
        raise RuntimeError("no such platform")

    keras = importlib.import_module("keras")
    spec = importlib.machinery.ModuleSpec("jax", None)
    jax = types.SimpleNamespace(devices=broken, __spec__=spec)
    monkeypatch.setitem(sys.modules, "jax", jax)
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    scope = {}
    for cell in code_cells(stored(name))[:2]:
        exec(cell.source, scope)
    shown = capsys.readouterr().out
    assert "JAX cannot be used: no such platform" in shown
    assert "on torch, its own choice" in shown
    assert "KERAS_BACKEND" not in os.environ


def test_a_chosen_gpu_is_one_at_least(monkeypatch):
    monkeypatch.setattr("glob.glob", lambda pattern: [])
    monkeypatch.setenv("TPU_LOAD_LIBRARY", "0")
    cells = [c.source for c in code_cells(stored("bert_pretraining_tpu"))]
    assert 'DEVICE = ""' in cells[1]
    scope = {}
    for cell in (cells[0], cells[1].replace('DEVICE = ""', 'DEVICE = "GPU"')):
        exec(cell, scope)
    assert scope["RUNTIME"].endswith("num_gpus=1")
