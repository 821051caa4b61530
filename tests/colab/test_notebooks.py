"""The notebooks in colab/: what is stored, and what happens when they run.

Each is to draw a figure and to print, as one line of JSON, the final loss of
every optimizer and the `unigram` entropy that they must beat.
"""

import json
import sys
from pathlib import Path

import jupytext
import nbclient
import nbformat
import pytest

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).resolve().parents[2] / "colab"
# A third of the time, and the models still learn.
SMALLER = {
    "LENGTH = 64": "LENGTH = 32",
    "VALIDATION_WINDOWS = 512": "VALIDATION_WINDOWS = 128",
}
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))


def stored(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook):
    return [out for cell in code_cells(notebook) for out in cell.outputs]


def printed(notebook):
    streams = [o for o in outputs(notebook) if o.output_type == "stream"]
    return "".join(o.text for o in streams if o.name == "stdout").splitlines()


@pytest.fixture(scope="module", params=NAMES)
def executed(request, tmp_path_factory):
    """The notebook, with less data, after a run in a fresh kernel."""
    notebook = stored(request.param)
    for cell in code_cells(notebook):
        for shipped, smaller in SMALLER.items():
            cell.source = cell.source.replace(shipped, smaller)
    last = nbformat.v4.new_code_cell("import sys\nprint(sys.executable)")
    notebook.cells.append(last)
    folder = tmp_path_factory.mktemp(request.param)
    with pytest.MonkeyPatch.context() as patch:
        # The kernel named python3 may also be installed for the user.
        patch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
        # Figures are shown in the notebook only if nothing else is chosen.
        patch.delenv("MPLBACKEND", raising=False)
        nbclient.NotebookClient(
            notebook,
            kernel_name="python3",
            timeout=600,
            resources={"metadata": {"path": str(folder)}},
        ).execute()
    return notebook


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_installs_the_clone_that_it_is_in(
    name, tmp_path, monkeypatch
):
    commands = []
    monkeypatch.setattr("importlib.util.find_spec", lambda package: None)
    monkeypatch.setattr("subprocess.run", lambda c, check: commands.append(c))
    cell = code_cells(stored(name))[0].source
    for folder, package in ((FOLDER, FOLDER.parent), (tmp_path, "keras_clip")):
        monkeypatch.chdir(folder)
        exec(cell, {})
        assert commands.pop()[-1].partition("[")[0] == str(package)


def test_every_notebook_has_a_source_and_the_reverse():
    assert NAMES
    assert NAMES == sorted(path.stem for path in FOLDER.glob("*.py"))


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_is_generated_from_its_source(name):
    source = jupytext.read(FOLDER / f"{name}.py")
    cells = [(cell.cell_type, cell.source) for cell in source.cells]
    assert cells == [(c.cell_type, c.source) for c in stored(name).cells]


@pytest.mark.parametrize("name", NAMES)
def test_outputs_are_cleared(name):
    for cell in code_cells(stored(name)):
        assert cell.outputs == []
        assert cell.execution_count is None


def test_the_notebook_runs(executed):
    assert all(cell.execution_count for cell in code_cells(executed))
    assert "error" not in {out.output_type for out in outputs(executed)}
    assert printed(executed)[-1] == sys.executable


def test_a_figure_is_drawn(executed):
    shown = [o for o in outputs(executed) if o.output_type == "display_data"]
    assert any("image/png" in out.data for out in shown)


def test_every_optimizer_gets_well_below_the_unigram_entropy(executed):
    (line,) = (text for text in printed(executed) if text.startswith("{"))
    losses = json.loads(line)
    unigram = losses.pop("unigram")
    assert {"Adam", "ACClip"} <= set(losses)
    for name, loss in losses.items():
        assert 0 < loss < 0.8 * unigram, name
