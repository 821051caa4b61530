"""Writes the listings of all optimizers, which follow from the registry.

Usage: python -m tests.support.listings

That is `keras_clip/optimizers/__init__.py`, the names that the scripts know,
and the table of the README. There a row keeps its place and its time; a new one
is the last, with `–` for a time until it is measured.
"""

import importlib
import re
from pathlib import Path

import keras
import numpy as np

from keras_clip.registry import OPTIMIZERS

ROOT = Path(__file__).resolve().parent.parent.parent
COMMAND = "python -m tests.support.listings"
EXPORTS = "keras_clip/optimizers/__init__.py"
NAMES = "scripts/bert/optimizer_names.py"
HEADER = "| class | what it is | paper | start with | state | time |\n"
NOT_MEASURED = "–"


def exports(text):
    """Returns `keras_clip/optimizers/__init__.py`."""
    docstring = text.partition("from ")[0]
    imports = "".join(
        f"from keras_clip.optimizers.{name} import {info.class_name}\n"
        for name, info in sorted(OPTIMIZERS.items())
    )
    names = "".join(
        f'    "{name}",\n'
        for name in sorted(info.class_name for info in OPTIMIZERS.values())
    )
    return f"{docstring}{imports}\n__all__ = [\n{names}]\n"


def names_of_scripts(text):
    """Returns `scripts/bert/optimizer_names.py`."""
    names = "".join(f'    "{name}",\n' for name in OPTIMIZERS)
    return re.sub(
        r"^OPTIMIZERS = \(\n.*?^\)\n",
        f"OPTIMIZERS = (\n{names})\n",
        text,
        flags=re.DOTALL | re.MULTILINE,
    )


def readme(text):
    """Returns `README.md`."""
    before, header, rest = text.partition(HEADER)
    line, *old = rest.partition("\n\n")[0].splitlines()
    after = rest[len("\n".join([line, *old])) :]
    infos = {info.class_name: info for info in OPTIMIZERS.values()}
    rows = {}
    for row in old:
        name, time = re.fullmatch(r"\| `(\w+)` \|.* \| (\S+) \|", row).groups()
        if name in infos:
            rows[name] = _row(infos[name], time)
    for name, info in infos.items():
        rows.setdefault(name, _row(info, NOT_MEASURED))
    return before + header + "\n".join([line, *rows.values()]) + after


def tensors(info):
    """Returns how many tensors an optimizer keeps for a variable."""
    # It may not be exported yet.
    importlib.import_module(f"keras_clip.optimizers.{info.name}")
    optimizer = info.keras_class()
    optimizer.build([keras.Variable(np.zeros((3, 5)))])
    return sum(v.shape == (3, 5) for v in optimizer.variables)


def _row(info, time):
    cells = (
        f"`{info.class_name}`",
        info.summary,
        info.reference,
        f"{info.starting_rate:g}",
        str(tensors(info)),
        time,
    )
    return f"| {' | '.join(cells)} |"


LISTINGS = {
    EXPORTS: exports,
    NAMES: names_of_scripts,
    "README.md": readme,
}


def is_stale(file):
    """Returns whether a listing is not what follows from the registry."""
    text = (ROOT / file).read_text("utf-8")
    return LISTINGS[file](text) != text


def main():
    """Writes the listings that are not what follows from the registry."""
    for file, listing in LISTINGS.items():
        path = ROOT / file
        path.write_text(listing(path.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
