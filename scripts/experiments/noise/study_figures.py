r"""Draws the figures of the study and tabulates its results.

Example:

    python scripts/experiments/noise/study_figures.py \
        --samples runs/noise --output_dir runs/noise/figures
"""

import argparse
import json
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parents[1]))

import command_line  # noqa: E402

NAMES = {
    "bert-wikipedia": "BERT, Wikipedia",
    "bert-novels": "BERT, novels",
    "resnet-images": "ResNet, images",
    "resnet-images-inference": "ResNet, images, inference",
    "no-attention-wikipedia": "no attention, Wikipedia",
    "bert-gaussian": "BERT, Gaussian",
    "no-attention-gaussian": "no attention, Gaussian",
    "bert-2x128-wikipedia": "BERT, full sequences",
}
# Runs and batch sizes with full reports, and those shown side by side: a batch
# of each has about as many predictions.
PANELS = (
    ("bert-wikipedia", 1),
    ("bert-wikipedia", 16),
    ("resnet-images", 16),
    ("resnet-images", 304),
)
EVOLUTIONS = {
    "evolution-few": {
        "bert-wikipedia": 1,
        "bert-novels": 1,
        "resnet-images": 16,
    },
    "evolution-many": {
        "bert-wikipedia": 16,
        "bert-novels": 16,
        "resnet-images": 304,
    },
}
GRID = {
    "attention": {"Wikipedia": "bert-wikipedia", "Gaussian": "bert-gaussian"},
    "no attention": {
        "Wikipedia": "no-attention-wikipedia",
        "Gaussian": "no-attention-gaussian",
    },
}


def reports(folder: pathlib.Path) -> dict[tuple[str, int], dict]:
    """Returns the reports of all samples in a folder.

    Args:
        folder: Output directory of `study.py`.

    Returns:
        Dict from run and batch size to a dict from the step to a report.

    Raises:
        InputError: If there are none.
    """
    from keras_clip import noise

    found = {}
    for name in NAMES:
        for path in folder.glob(f"{name}-[0-9]*-*.json"):
            step, size = map(int, path.stem.rsplit("-", 2)[1:])
            samples = noise.NoiseSamples.load(path)
            found.setdefault((name, size), {})[step] = noise.report(samples)
    if not found:
        raise command_line.InputError(
            "`--samples` must hold what study.py has written. "
            f"Received: --samples={folder}"
        )
    order = list(NAMES)
    return {
        key: dict(sorted(found[key].items()))
        for key in sorted(found, key=lambda key: (order.index(key[0]), key[1]))
    }


def run(arguments: argparse.Namespace) -> dict:
    """Draws the figures and writes the table.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict from run and batch size to the tail index at each step.
    """
    found = reports(pathlib.Path(arguments.samples))
    folder = pathlib.Path(arguments.output_dir)
    folder.mkdir(parents=True, exist_ok=True)
    draw(found, folder)
    from experiments import noise_cells

    rows = [
        [
            NAMES[name],
            f"{report.samples.batch_size}",
            f"{step:,}",
            *noise_cells.cells(report),
        ]
        for (name, _), by_step in found.items()
        for step, report in by_step.items()
    ]
    columns = ("run", "batch", "step", *noise_cells.COLUMNS)
    lines = [columns, ["---"] * len(columns), *rows]
    (folder / "results.md").write_text(
        "".join(f"| {' | '.join(line)} |\n" for line in lines), "utf-8"
    )
    summaries = {
        f"{name}, batches of {size}": {
            step: report.summary() for step, report in by_step.items()
        }
        for (name, size), by_step in found.items()
    }
    (folder / "results.json").write_text(
        json.dumps(summaries, indent=1, ensure_ascii=False) + "\n", "utf-8"
    )
    return {
        f"{name}-{size}": {
            step: str(report.tail_index) for step, report in by_step.items()
        }
        for (name, size), by_step in found.items()
    }


def draw(found: dict[tuple[str, int], dict], folder: pathlib.Path) -> None:
    """Draws the figures that there are samples for.

    Args:
        found: Reports, as `reports` returns them.
        folder: The output directory.
    """
    from keras_clip import noise

    for name, size in PANELS:
        if (name, size) in found:
            by_step = found[name, size]
            by_step[max(by_step)].plot(folder / f"{name}-{size}.png")
    for title, shown in EVOLUTIONS.items():
        rows = {
            f"{NAMES[name]} ({size})": found[name, size]
            for name, size in shown.items()
            if (name, size) in found
        }
        if rows:
            figure = noise.plot_evolution(rows)
            figure.savefig(folder / f"{title}.png")
    for size in (1, 16):
        cells = [(name, size) for row in GRID.values() for name in row.values()]
        if all(cell in found for cell in cells):
            grid = {
                title: {
                    data: found[name, size][max(found[name, size])]
                    for data, name in row.items()
                }
                for title, row in GRID.items()
            }
            noise.plot_grid(grid).savefig(folder / f"grid-{size}.png")


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    result.add_argument(
        "--samples", required=True, metavar="DIR", help="of study.py"
    )
    result.add_argument(
        "--output_dir", required=True, metavar="DIR", help="where to write"
    )
    return result


if __name__ == "__main__":
    command_line.main(parser(), run)
