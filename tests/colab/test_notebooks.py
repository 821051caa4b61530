"""The notebooks in colab/: what is stored, and what happens when they run."""

import json
import sys

import jupytext
import nbclient
import nbformat
import pytest

from tests.support import hugging_face
from tests.support import tiny
from tests.support.notebooks import FOLDER
from tests.support.notebooks import NAMES
from tests.support.notebooks import code_cells
from tests.support.notebooks import stored

pytestmark = pytest.mark.slow

# A third of the time, and what is shown still holds.
SMALLER = {
    "quickstart": {
        "LENGTH = 64": "LENGTH = 32",
        "VALIDATION_WINDOWS = 512": "VALIDATION_WINDOWS = 128",
        '"Adam": (0.016, 0.064), "SGD": (0.3, 1.0)': (
            '"Adam": (0.064,), "SGD": (1.0,)'
        ),
        "NOISE_SAMPLES = 300": "NOISE_SAMPLES = 100",
    },
    "synthetic_heavy_tails": {"STEPS = 1_000": "STEPS = 400"},
    "gradient_noise": {
        "EXAMPLES = 8_000": "EXAMPLES = 3_000",
        "NUM_SAMPLES = 4_000": "NUM_SAMPLES = 1_000",
    },
    "bert_pretraining_tpu": {
        'TEXT = ""': 'TEXT = "text.txt"',
        '"steps": 200': '"steps": 2',
        '"vocab_size": 2_000': '"vocab_size": 60',
        '"Adam": ["--optimizer", "adamw"]': "",
    },
    "squad_finetuning_tpu": {
        'PRETRAINED = ""': 'PRETRAINED = "bert"',
        'TRAIN = ""': 'TRAIN = "squad.json"',
        'DEV = ""': 'DEV = "squad.json"',
        '    "What does the break statement end?",': "",
    },
}

every_notebook = pytest.mark.parametrize("name", NAMES)


def outputs(notebook):
    return [out for cell in code_cells(notebook) for out in cell.outputs]


def printed(notebook):
    streams = [o for o in outputs(notebook) if o.output_type == "stream"]
    return "".join(o.text for o in streams if o.name == "stdout").splitlines()


def write_data(folder):
    """Writes a tiny text, a tiny BERT and a few questions."""
    text = "\n".join([tiny.PARAGRAPH] * 6)
    (folder / "text.txt").write_text("\n\n".join([text] * 200))
    (folder / "squad.json").write_text(json.dumps(tiny.dataset()))
    hugging_face.write(
        folder / "bert",
        tokenizer={"do_lower_case": True},
        max_position_embeddings=128,
    )


@pytest.fixture(scope="module", params=NAMES)
def executed(request, tmp_path_factory):
    """The notebook, with less data, after a run in a fresh kernel."""
    notebook = stored(request.param)
    for cell in code_cells(notebook):
        for shipped, smaller in SMALLER[request.param].items():
            cell.source = cell.source.replace(shipped, smaller)
    sources = "".join(cell.source for cell in code_cells(notebook))
    assert not any(name in sources for name in SMALLER[request.param])
    last = nbformat.v4.new_code_cell("import sys\nprint(sys.executable)")
    notebook.cells.append(last)
    folder = tmp_path_factory.mktemp(request.param)
    write_data(folder)
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
    notebook.metadata["name"] = request.param
    return notebook


def test_every_notebook_has_a_source_and_the_reverse():
    assert NAMES
    assert NAMES == sorted(path.stem for path in FOLDER.glob("*.py"))


@every_notebook
def test_the_notebook_is_generated_from_its_source(name):
    source = jupytext.read(FOLDER / f"{name}.py")
    cells = [(cell.cell_type, cell.source) for cell in source.cells]
    assert cells == [(c.cell_type, c.source) for c in stored(name).cells]


@every_notebook
def test_outputs_are_cleared(name):
    for cell in code_cells(stored(name)):
        assert cell.outputs == []
        assert cell.execution_count is None


def test_the_notebook_runs(executed):
    assert all(cell.execution_count for cell in code_cells(executed))
    assert "error" not in {out.output_type for out in outputs(executed)}
    assert printed(executed)[-1] == sys.executable


def test_figures_are_drawn(executed):
    """Without its backend a figure is shown by its name alone."""
    shown = [o for o in outputs(executed) if o.output_type == "display_data"]
    figures = [o for o in shown if "Figure" in o.data.get("text/plain", "")]
    assert figures
    assert all("image/png" in figure.data for figure in figures)


def last_line_of_json(notebook):
    lines = [text for text in printed(notebook) if text.startswith("{")]
    return json.loads(lines[-1])


def test_what_a_notebook_shows_holds(executed):
    CHECKS[executed.metadata["name"]](last_line_of_json(executed))


def is_learned(shown):
    unigram = shown["unigram"]
    for name in ("Adam", "ACClip"):
        assert 0 < shown[name] < 0.8 * unigram, name
    for name, (without, clipped) in shown["high"].items():
        assert clipped < unigram, name
        assert without is None or clipped < without, name
    assert shown["high"]["SGD 1"][0] is None
    assert shown["verdict"]


def is_saved_by_clipping(shown):
    (ends,) = shown.values()
    assert 0 < 5 * ends["Adam, clipped"] < ends["Adam"]


def is_told_apart(shown):
    assert shown["verdicts"]["Gaussian"] == "not heavy-tailed"
    assert shown["verdicts"]["heavy-tailed"] != "not heavy-tailed"
    errors = shown["errors"]
    assert 0 < errors["Adam, clipped"] < 0.9 * errors["Adam"]


def is_pretrained(metrics):
    assert 0 < metrics["ACClip"]["validation_loss"] < 20


def is_answered(shown):
    assert 0 <= shown["scores"]["f1"] <= 100
    (answer,) = shown["answers"].values()
    assert isinstance(answer, str)


CHECKS = {
    "quickstart": is_learned,
    "bert_pretraining_tpu": is_pretrained,
    "squad_finetuning_tpu": is_answered,
    "gradient_noise": is_told_apart,
    "synthetic_heavy_tails": is_saved_by_clipping,
}
