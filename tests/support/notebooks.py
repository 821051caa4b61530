"""Reads the notebooks in colab/."""

from pathlib import Path

import nbformat

FOLDER = Path(__file__).resolve().parents[2] / "colab"
NAMES = sorted(path.stem for path in FOLDER.glob("*.ipynb"))


def stored(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]
